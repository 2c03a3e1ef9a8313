// Package differ asks two shops the same things and compares what they say.
//
// A seed makes sequences of requests ([Generate]): customers and staff who register, search, fill carts, buy with good and
// bad cards, cancel, dispatch, page through lists, repeat themselves, mistype, and try what is not theirs. Each sequence
// has customers and books to itself, so that many run side by side, step by step; after each step with a write, both shops
// come to rest before the next, and so what follows later is compared too.
//
// A step may ask at other paths first, which fills a cart, and may have the lab fill a shelf, which deliveries can't.
//
// Both sides get the same words, but ids, times, tokens and cursors are each side's own. A step refers to what an earlier
// one was answered by name, as in /v1/orders/<s7.id>, which each side fills in from its own answers. In comparing, an
// id of one side has to stand for the same id of the other wherever it comes up ([names]), times have to be close,
// and the rest has to be equal.
//
// A sequence that shows a difference is made smaller, by leaving out requests as long as it still shows one, on new books.
package differ

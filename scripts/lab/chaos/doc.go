// Package chaos makes trouble for a running shop and judges what is left of it.
//
// [Race] lets many customers buy the last copies of a book at the same moment, and sends one checkout
// fifty times at once. It works on any running shop.
//
// [Crash] starts a lab of its own, lets customers buy, and kills processes by SIGKILL at random moments
// meanwhile. The customers behave as real ones do: what they got no answer to they send again under the same key, or
// give up. They write down each request before they send it. When the last one has left, nobody lends a
// hand: the shop has a minute to come to rest, and is then judged by its database, the card
// processor's ledger and the mail that arrived.
//
// [Storm] breaks everything that can break, one thing after the other, from a seed ([banyan/scripts/lab/chaos/fault]), and
// in between kills processes at the moments that matter ([banyan/scripts/lab/chaos/points]), while customers buy, look at
// their orders again, cancel some of them and have others sent off. Their history is on disk before anything is asked.
//
// The package shares no code with the monolith and the services. A judge that borrowed the shop's own ideas of what is right would
// borrow its mistakes as well.
package chaos

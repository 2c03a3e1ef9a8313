// Package catalog owns the books: what there is to read about each, at which
// price, how to find it, and which ones sell best.
//
// It is coupled to its neighbours in three ways. A book's stock is a column of
// its row, which inventory and orders write; the list of bestsellers joins the
// orders; and carts and orders hold foreign keys to books and join them for
// titles and prices. Step 4 of the ladder breaks these: the columns of others
// become copies that events feed, the foreign keys become plain ids.
//
// The steps are in docs/ladder.md.
package catalog

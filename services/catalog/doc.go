// Catalog owns the books: what there is to read about each, at which price, how
// to find it, and which ones sell best.
//
// It calls no other service. It publishes book.added and book.changed, and
// consumes order.paid, order.cancelled and stock.changed.
//
// What extraction changed (diff it with monolith/catalog): the stock of a book,
// once a column of its row, is a copy that inventory's events keep up to date,
// in a table of its own; the list of bestsellers, once a join with the orders,
// reads recent sales that events bring; whoever keeps a copy of titles and
// prices learns of a change by an event, which is written to the outbox in the
// transaction of the change; and a request is signed in by its token, no longer
// by a session in the same database. Catalog works while every other service is
// down; what it knows of the others grows old meanwhile.
package main

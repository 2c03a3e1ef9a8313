// Inventory owns how many copies of each book there are, and which of them are
// promised to orders.
//
// It calls no other service. It publishes stock.changed, consumes book.added,
// order.paid and order.cancelled, and answers one request that only orders may
// make: to reserve copies.
//
// What extraction changed (diff it with monolith/inventory): the number, once a
// column of the catalog's books, is a table of its own; taking, once statements
// on the batch of the order's transaction, is a reservation that another process
// asks for, which has to be told apart from its repetition and ended by an
// event, whichever of them comes first; what is left over after each change is
// told to others by an event; and a request is signed in by its token. A
// reservation has no time limit: its order decides. While orders is down, copies
// stay promised.
package main

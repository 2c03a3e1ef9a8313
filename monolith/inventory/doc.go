// Package inventory owns how many copies of each book there are.
//
// The number is a column of books, the catalog's table: checkout takes from it
// and a cancellation gives back to it in the order's own transaction, on the
// batch that orders sends. Steps 4 and 5 of the ladder break this coupling: the
// number moves to a table of its own, and taking becomes a reservation that
// another process asks for.
//
// The steps are in docs/ladder.md.
package inventory

// Package postgres opens pools, applies migrations and translates the driver's
// errors where callers need to tell them apart.
//
// Statements are written by hand where they are used. A store is a set of plain
// functions over Querier, which a pool and a transaction both satisfy, so that
// the caller decides what one transaction holds; or it queues its statements on
// a *pgx.Batch, which is one round trip and, outside a transaction, one
// transaction of its own.
package postgres

// Package idempotency remembers the answers to requests that carry an
// Idempotency-Key, so that a client that lost an answer can ask again without
// doing the work again.
//
// A request claims its key by a plain insert, in the same transaction as the
// first effect of its work: of two with one key, the second waits for the first
// to commit and then violates the primary key. The answer is stored in the
// transaction of the last effect. Between the two the key is in flight, which is
// a lease: when it is over, whoever asks again is told what the work has come to
// by then. The rules follow the IETF draft "The Idempotency-Key HTTP Header Field".
package idempotency

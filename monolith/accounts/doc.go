// Package accounts owns who the customers are, and who of them is signed in.
//
// Passwords are kept as argon2id hashes, session tokens as SHA-256 hashes: a
// stolen copy of the tables signs nobody in. Who guesses passwords is slowed down,
// in a way that cannot lock the owner out (throttle.go).
//
// It is coupled to its neighbours in three ways. Every request that needs to
// know its sender looks the session up in the database, joined to the account;
// step 3 of the ladder makes that a short-lived token which each service checks
// by itself. The welcome mail is queued in the transaction that makes the
// account; step 2 makes that an event. And carts, orders, payments, shipments
// and mail hold foreign keys to accounts, which become plain ids as they leave.
//
// The steps are in docs/ladder.md.
package accounts

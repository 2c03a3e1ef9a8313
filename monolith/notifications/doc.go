// Package notifications owns the mail that the shop sends: what was written to
// whom, and whether it has left.
//
// A mail is a row, queued in the transaction of what it reports, and sent later
// by a worker. It is sent at least once: a process killed after the mail server
// took a mail, and before that was written down, sends it again, with the same
// Message-ID and the same bytes.
//
// It is coupled to its neighbours in two ways. Other modules put its insert
// statements into their own transactions, so mail and its cause are committed
// together. And the statements for orders read the address from the accounts
// table. Step 2 of the ladder breaks both: the cause becomes an event in an
// outbox, and the addresses a local copy that events feed.
//
// The steps are in docs/ladder.md.
package notifications

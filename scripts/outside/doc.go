// Command outside is the world that the shop talks to and does not own: a card processor and a
// mail server, simulated in one small process.
//
// It shares no code with the shop, as the real ones would not, and it is built to be the honest
// witness of what happened. The card processor appends each effect to a ledger file before it
// answers, so that a charge that was lost on the wire, or made twice, shows there. The mail
// server keeps what it was given and counts the distinct Message-IDs, since a mail can arrive
// twice when its sender was killed between sending it and writing that down.
//
// The card processor's rules:
//
//   - A merchant is named by the key it sends as a bearer token. References belong to a merchant:
//     two merchants may use the same one.
//   - The reference is the idempotency key of a charge. Sent again, it gets the first result,
//     whatever became of the first answer; with another amount, currency or card token it is
//     refused with 422.
//   - A charge goes on when its client has gone. A repetition that comes meanwhile waits for its
//     outcome.
//   - A refund of a reference that was never charged is 404 and is not remembered: a charge that
//     comes later is taken. A refund of a declined charge is 409. A refund that comes while the
//     charge is in progress waits for it.
//
// The card token chooses the behaviour:
//
//	tok_visa      approves
//	tok_declined  declines
//	tok_slow      approves after 2 s
//	tok_timeout   charges, but does not answer the first time: it holds the connection until
//	              the client leaves, or for 30 s, and cuts it
//	tok_flaky     answers 500 twice per reference, without charging, and then approves
//	tok_refused   is refused with 422 token-refused, and nothing is charged
//	tok_unsure    charges, answers 500, and from then on refuses with 422 token-refused
//	any other     declines
//
// A restarted processor reads its ledger and remembers the outcomes. Card tokens are not in the
// ledger, so a reference from before the restart is compared by amount and currency only, and
// tok_flaky counts from the beginning for a reference it had not approved yet.
//
// Environment: ADDR (default 127.0.0.1:8100) for HTTP, SMTP_ADDR (default 127.0.0.1:8125),
// LEDGER_FILE, and MERCHANTS, as in "monolith=<key>,services=<key>".
package main

// Accounts owns who the customers are, and who of them is signed in.
//
// Passwords are kept as argon2id hashes, session tokens as SHA-256 hashes: a
// stolen copy of the tables signs nobody in. Who guesses passwords is slowed down,
// in a way that cannot lock the owner out (throttle.go).
//
// It calls no other service. It publishes account.registered, consumes nothing,
// and answers two requests from inside: the gateway exchanges a session's token
// for a signed one, and everybody may read the keys that check those.
//
// What extraction changed (diff it with monolith/accounts): a session, once looked
// up in the database by every request, is exchanged for a token that holds for a
// minute and that each service checks by itself, so that accounts is asked once in
// a while and no longer each time; with the lookups the cache of sessions moved to
// the gateway, and only the requests to accounts itself are still signed in by
// their session. The welcome mail, once queued in the transaction that makes the
// account, became an event, written to the outbox in that transaction. And nobody
// holds foreign keys to accounts any more: the others know plain ids. While accounts
// is down, whoever the gateway still knows goes on; nobody else signs in or out.
package main

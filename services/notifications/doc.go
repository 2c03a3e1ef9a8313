// Notifications owns the mail that the shop sends: what was written to whom, and
// whether it has left.
//
// A mail is a row, queued in the transaction that handles the event of what it
// reports, and sent later by a worker. It is sent at least once: a process killed
// after the mail server took a mail, and before that was written down, sends it
// again, with the same Message-ID and the same bytes.
//
// It calls no other service but the mail server. It publishes nothing, and consumes
// account.registered, order.paid, order.cancelled and shipment.dispatched.
//
// What extraction changed (diff it with monolith/notifications): a mail, once
// queued by statements that others put into their own transactions (queue.go), is
// queued when an event tells of its cause (events.go), once, however often it
// tells; the address, once read from the accounts table, comes from a copy that
// events feed, and what needs one that has not come yet waits for it; accounts and
// orders, once foreign keys, are plain ids; and a request is signed in by its token.
// While notifications is down, mail comes late, and nobody else notices.
package main

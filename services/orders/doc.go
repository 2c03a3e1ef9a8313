// Orders owns the carts and the orders: what somebody is about to buy, what
// they bought, and how one becomes the other.
//
// It calls inventory, payments and shipping. It publishes order.paid and
// order.cancelled, and consumes book.added, book.changed and shipment.dispatched.
//
// Checkout is an orchestrated saga with a durable state, the order's own: while
// it is pending, somebody has to reserve its stock and charge its card, in this
// order, and write down what came of it. The request does so while its customer
// waits; after that, or after a crash, the sweeper of any instance carries on.
// Both steps are idempotent under the order's id, so carrying on means to start
// again, and nothing has to be written down between them. What follows a paid
// order (the shipment, the mail, the sale, the stock that leaves for good) and
// what undoes a cancelled one (the stock given back, the refund) is left to the
// events, which are written with the order's last transition.
//
// What extraction changed (diff it with monolith/orders): the one transaction
// that held the effects of all neighbours is gone, and with it the certainty of
// knowing at once; so a call of unknown outcome is repeated until it is definite,
// and only then compensated. A neighbour's definite no ends the order: it is
// cancelled as refused, and the event undoes what may have been done. Titles and prices come from a copy that catalog's
// events feed, so that catalog may be down while people buy. The sold-out answer
// comes from inventory, after the order is written; the order is deleted with it.
package main

// Package orders owns the carts and the orders: what somebody is about to buy,
// what they bought, and how one becomes the other.
//
// Checkout is two transactions around the one call that leaves the process, the
// card processor's. The first writes everything that must be there before money
// moves: the pending order with its lines, the payment to be made, and the stock
// taken. The second settles it: paid, with shipment and receipt, or cancelled,
// with the stock given back. Whatever a crash leaves between the two, the
// sweeper finishes (sweeper.go).
//
// A neighbour that has become a service is far: it is asked between the two
// transactions, or hears of the outcome by an event (seams.go). With all of them far,
// the flow is that of services/orders.
//
// Its couplings, and the step of the ladder that breaks each:
//
//   - mail is queued in the order's transactions: 2, notifications;
//   - lines have foreign keys to books, and carts join books for titles and
//     prices: 4, catalog;
//   - stock is taken and given back in the order's transactions: 5, inventory;
//   - the payment is written in the order's transactions: 6, payments;
//   - the shipment is written in the transaction that marks the order paid, and
//     dispatch marks the order shipped: 7, shipping.
//
// The steps are in docs/ladder.md.
package orders

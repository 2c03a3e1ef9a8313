// Payments owns what was paid for which order, and talks to the card processor.
//
// It calls no other service. It publishes payment.captured and payment.refunded,
// consumes order.cancelled, and answers one request that only orders may make:
// to charge a card.
//
// What extraction changed (diff it with monolith/payments): the payment's row,
// once written in the order's transactions, is written in two of its own, around
// the call to the processor, and charging is one request that can be repeated
// until its outcome is known; refunds, once asked for in the transaction of the
// cancellation, start from its event, and from nothing else. The event may come
// before the charge it undoes: then a row that nobody is shown refuses that
// charge. While orders is down, nothing is charged, and what was being charged
// is settled all the same.
package main

// Shipping owns the parcels: one per paid order, from the shelf to the
// customer's door.
//
// It calls no other service. It publishes shipment.dispatched, consumes
// order.paid and order.cancelled, and answers one request that only orders may
// make: to keep a parcel in the house.
//
// What extraction changed (diff it with monolith/shipping): a shipment, once
// written in the transaction that marks its order paid, is made by an event;
// that a parcel left, once written in the order's transaction as well, is told
// by one; and keeping a parcel in the house is a request, which is decided here,
// by the shipment's row. The cancellation may come before the payment it
// follows: then its row stands in the way of the parcel.
package main

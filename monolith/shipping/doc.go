// Package shipping owns the parcels: one per paid order, from the shelf to the
// customer's door.
//
// A shipment is written in the transaction that marks its order paid, and
// dispatching it marks the order shipped in the same way. Step 7 of the ladder
// breaks both: events tell shipping of paid orders, and orders of dispatched
// shipments.
//
// The steps are in docs/ladder.md.
package shipping

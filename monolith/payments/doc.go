// Package payments owns what was paid for which order, and talks to the card
// processor.
//
// The payment's row is written in the order's transactions, on the batch that
// orders sends; only the call to the processor stands between the two, outside
// of any transaction. Step 6 of the ladder breaks this coupling: charging becomes
// one idempotent request, and refunds start from an event.
//
// The steps are in docs/ladder.md.
package payments

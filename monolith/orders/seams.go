package orders

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// What orders needs of its neighbours. While a neighbour is in the process, it
// queues its own statements on the batch that orders sends, so that one
// transaction holds the effects of all. main.go joins them.

// Stock takes copies off the shelf and puts them back.
type Stock interface {
	// QueueTake fails the batch, and Refused reports it, if there are too few
	// copies of any book. The books must be in order of id, so that two
	// checkouts never wait for each other in a circle.
	QueueTake(b *pgx.Batch, books []uuid.UUID, quantities []int)
	QueueGiveBack(b *pgx.Batch, books []uuid.UUID, quantities []int)
	Refused(err error) bool
}

// Payments charges cards. The order's id is the charge's key, so asking twice
// charges once.
type Payments interface {
	QueueOpen(b *pgx.Batch, orderID, accountID uuid.UUID, cents int64, cardToken string)
	// Charge asks the card processor until the outcome is definite or ctx ends.
	// It returns ErrRefused if the processor refuses the charge for good. Another
	// error leaves the outcome unknown.
	Charge(ctx context.Context, orderID uuid.UUID, cents int64, cardToken string) (captured bool, err error)
	QueueSettle(b *pgx.Batch, orderID uuid.UUID, captured bool)
}

// Recovery is what becomes of a payment that did not go well.
type Recovery interface {
	// Recharge is Charge for the sweeper: the pending payment has kept the rest.
	Recharge(ctx context.Context, orderID uuid.UUID) (captured bool, err error)
	// QueueRefuse ends a payment after ErrRefused. Should an attempt whose outcome
	// nobody heard have charged the card, the money is given back.
	QueueRefuse(b *pgx.Batch, orderID uuid.UUID)
	QueueRefund(b *pgx.Batch, orderID uuid.UUID)
}

// Shipments brings paid orders to their customers.
type Shipments interface {
	QueuePrepare(b *pgx.Batch, orderID, accountID uuid.UUID, address []byte)
	// QueueCancel fails the batch, and Dispatched reports it, if the shipment has left.
	QueueCancel(b *pgx.Batch, orderID uuid.UUID)
	Dispatched(err error) bool
}

// Mail tells customers what became of their orders.
type Mail interface {
	QueueReceipt(b *pgx.Batch, orderID, accountID uuid.UUID, cents int64)
	QueueShipped(b *pgx.Batch, orderID, accountID uuid.UUID)
	QueueCancelled(b *pgx.Batch, orderID, accountID uuid.UUID, reason string)
}

package orders

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// What orders needs of its neighbours. A neighbour in the process is near: it
// queues its own statements on the batch that orders sends, so that one
// transaction holds the effects of all. One that has become a service is far: it is
// asked between two transactions. Of each neighbour main.go gives one of the two.

// Near are the neighbours in this process. Nil: it has left.
type Near struct {
	Stock     Stock
	Payments  Payments
	Recovery  Recovery
	Refunds   Refunds
	Shipments Shipments
	Mail      Mail
}

// Stock takes copies off the shelf and puts them back.
type Stock interface {
	// QueueTake fails the batch, and Refused reports it, if there are too few
	// copies of any book. The books must be in order of id, so that two
	// checkouts never wait for each other in a circle.
	QueueTake(ctx context.Context, b *pgx.Batch, books []uuid.UUID, quantities []int)
	QueueGiveBack(ctx context.Context, b *pgx.Batch, books []uuid.UUID, quantities []int)
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
	// QueueDoubt says that an attempt whose outcome nobody heard may have charged the
	// card. Recharge knows for itself; a far stock may refuse before it is called.
	QueueDoubt(b *pgx.Batch, orderID uuid.UUID)
	// QueueRefuse ends a payment after a definite no. Should an attempt whose outcome
	// nobody heard have charged the card, the money is given back.
	QueueRefuse(b *pgx.Batch, orderID uuid.UUID)
	// QueueForget drops the payment of an order that is sold out and was never charged.
	QueueForget(b *pgx.Batch, orderID uuid.UUID)
}

// Refunds give money back.
type Refunds interface {
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

// Far are the neighbours that have become services. Nil: it is near. Each is
// idempotent under the order's id. An error that is definite (remote.go) is a no
// for good. Any other leaves the outcome unknown.
type Far struct {
	Stock     Reserver
	Payments  Charger
	Shipments Keeper
}

// Reserver keeps copies aside for an order.
type Reserver interface {
	// Reserve returns ErrSoldOut, with the books, if there are too few copies of
	// any; the answer for one order never changes.
	Reserve(ctx context.Context, orderID uuid.UUID, books []uuid.UUID, quantities []int) error
}

// Charger charges cards.
type Charger interface {
	// Charge asks until the outcome is definite or ctx ends.
	Charge(ctx context.Context, orderID, accountID uuid.UUID, cents int64, cardToken string) (captured bool, err error)
}

// Keeper keeps parcels in the house.
type Keeper interface {
	// Cancel keeps the parcel in the house, also one that it has not heard of
	// yet. It returns ErrShipped if the parcel has left.
	Cancel(ctx context.Context, orderID, accountID uuid.UUID) error
}

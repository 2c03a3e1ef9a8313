package main

import (
	"context"

	"github.com/google/uuid"
)

// What orders needs of its neighbours. Each is idempotent under the order's id.
// An error that is definite (remote.go) is a no for good. Any other leaves the
// outcome unknown.

// Stock keeps copies aside for an order.
type Stock interface {
	// Reserve returns ErrSoldOut, with the books, if there are too few copies of
	// any; the answer for one order never changes.
	Reserve(ctx context.Context, orderID uuid.UUID, books []uuid.UUID, quantities []int) error
}

// Payments charges cards.
type Payments interface {
	// Charge asks until the outcome is definite or ctx ends.
	Charge(ctx context.Context, orderID, accountID uuid.UUID, cents int64, cardToken string) (captured bool, err error)
}

// Shipments brings paid orders to their customers.
type Shipments interface {
	// Cancel keeps the parcel in the house, also one that it has not heard of
	// yet. It returns ErrShipped if the parcel has left.
	Cancel(ctx context.Context, orderID, accountID uuid.UUID) error
}

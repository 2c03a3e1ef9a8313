package main

import (
	"context"

	"github.com/google/uuid"
)

// Far are the neighbours of orders, each a service of its own. Each is idempotent
// under the order's id. An error that is definite (remote.go) is a no for good. Any
// other leaves the outcome unknown.
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

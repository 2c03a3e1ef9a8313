package main

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"banyan/internal/money"
)

// The states of a payment:
//
//	pending → captured → refunded
//	   ↓
//	declined                        void
//
// A pending payment whose refund is asked for, since its charge was refused or its
// order cancelled, becomes refunded, or declined if nothing was charged. A payment whose order is cancelled before anybody asked for the money begins
// and ends void. Nobody is shown it.
const (
	Pending  = "pending"
	Captured = "captured"
	Declined = "declined"
	Refunded = "refunded"
	Void     = "void"
)

// Payment is what was paid, or was to be paid, for one order.
type Payment struct {
	ID        uuid.UUID   `json:"id"`
	OrderID   uuid.UUID   `json:"order_id"`
	AccountID uuid.UUID   `json:"-"`
	Status    string      `json:"status"`
	Amount    money.Money `json:"amount"`
	Refused   bool        `json:"-"` // the processor said a definite no that is no decline
	Refunding bool        `json:"-"` // the refund is asked for
}

// outcome is what orders hears of a payment that is not to be charged any more.
func (p Payment) outcome() (captured bool, err error) {
	if p.Refused || p.Status == Pending {
		return false, ErrRefused
	}
	return p.Status == Captured || p.Status == Refunded, nil
}

// Service is the payments module.
type Service struct {
	pool      *pgxpool.Pool
	processor *Processor
	wake      func() // after a commit that has something to publish
}

// New returns the payments that the pool's database holds, and the processor
// that takes the money. wake is called after each commit that has something to
// publish.
func New(pool *pgxpool.Pool, processor *Processor, wake func()) *Service {
	return &Service{pool, processor, wake}
}

// Payments returns the account's payments, newest first: one more than limit, if
// there is one. An order's id that is not nil narrows them to that order.
func (s *Service) Payments(ctx context.Context, accountID, orderID uuid.UUID, limit int, before uuid.UUID) ([]Payment, error) {
	return selectPayments(ctx, s.pool, accountID, orderID, limit+1, before)
}

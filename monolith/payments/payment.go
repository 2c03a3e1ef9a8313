package payments

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
//	declined
//
// A pending payment whose refund is asked for, since its charge was refused,
// becomes refunded, or declined if nothing was charged.
const (
	Pending  = "pending"
	Captured = "captured"
	Declined = "declined"
	Refunded = "refunded"
)

// Payment is what was paid, or was to be paid, for one order.
type Payment struct {
	ID        uuid.UUID   `json:"id"`
	OrderID   uuid.UUID   `json:"order_id"`
	AccountID uuid.UUID   `json:"-"`
	Status    string      `json:"status"`
	Amount    money.Money `json:"amount"`
	Refunding bool        `json:"-"` // the refund is asked for
}

// Service is the payments module.
type Service struct {
	pool      *pgxpool.Pool
	processor *Processor
}

// New returns the payments that the pool's database holds, and the processor
// that takes the money.
func New(pool *pgxpool.Pool, processor *Processor) *Service {
	return &Service{pool, processor}
}

// Payments returns the account's payments, newest first: one more than limit, if
// there is one. An order's id that is not nil narrows them to that order.
func (s *Service) Payments(ctx context.Context, accountID, orderID uuid.UUID, limit int, before uuid.UUID) ([]Payment, error) {
	return selectPayments(ctx, s.pool, accountID, orderID, limit+1, before)
}

package main

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"banyan/internal/events"
	"banyan/internal/money"
)

// What payments publishes.
const (
	paymentCaptured = "payment.captured"
	paymentRefunded = "payment.refunded"
)

// paymentData is what became of which payment.
type paymentData struct {
	PaymentID uuid.UUID   `json:"payment_id"`
	OrderID   uuid.UUID   `json:"order_id"`
	AccountID uuid.UUID   `json:"account_id"`
	Amount    money.Money `json:"amount"`
}

func paymentEvent(p Payment) paymentData { return paymentData{p.ID, p.OrderID, p.AccountID, p.Amount} }

// Consume gives the consumer its handlers.
func (s *Service) Consume(c *events.Consumer) {
	events.On(c, "order.cancelled", s.orderCancelled)
}

// orderData declares what payments reads of a cancelled order.
type orderData struct {
	OrderID   uuid.UUID   `json:"order_id"`
	AccountID uuid.UUID   `json:"account_id"`
	Total     money.Money `json:"total"`
}

func (s *Service) orderCancelled(ctx context.Context, tx pgx.Tx, _ events.Event, order orderData) error {
	return refund(ctx, tx, order.OrderID, order.AccountID, order.Total.Amount)
}

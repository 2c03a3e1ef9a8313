package payments

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// QueueOpen writes the payment to be made. It keeps the card token, so that
// whoever finishes the order can send the same charge again.
func (s *Service) QueueOpen(b *pgx.Batch, orderID, accountID uuid.UUID, cents int64, cardToken string) {
	queueInsertPayment(b, uuid.Must(uuid.NewV7()), orderID, accountID, cents, cardToken)
}

// Charge asks the processor until the outcome is definite or ctx ends. An error
// leaves the outcome unknown; asking again later is right, and charges once.
func (s *Service) Charge(ctx context.Context, orderID uuid.UUID, cents int64, cardToken string) (captured bool, err error) {
	pause := 25 * time.Millisecond
	for {
		captured, err = s.processor.charge(ctx, orderID, cents, cardToken)
		if err == nil {
			return captured, nil
		}
		select {
		case <-ctx.Done():
			return false, fmt.Errorf("charge order %s: %w", orderID, err)
		case <-time.After(pause):
			pause = min(2*pause, time.Second)
		}
	}
}

// Recharge is Charge for whoever finishes the order, with the amount and the
// token that the pending payment kept. What is settled already is only returned.
func (s *Service) Recharge(ctx context.Context, orderID uuid.UUID) (captured bool, err error) {
	status, cents, cardToken, err := selectCharge(ctx, s.pool, orderID)
	if err != nil {
		return false, fmt.Errorf("find the payment of order %s: %w", orderID, err)
	}
	if status != Pending {
		return status != Declined, nil
	}
	return s.Charge(ctx, orderID, cents, cardToken)
}

// QueueSettle writes down what the processor decided, and forgets the card.
func (s *Service) QueueSettle(b *pgx.Batch, orderID uuid.UUID, captured bool) {
	status := Declined
	if captured {
		status = Captured
	}
	queueSettle(b, orderID, status)
}

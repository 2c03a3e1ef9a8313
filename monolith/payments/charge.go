package payments

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"banyan/internal/fault"
)

// ErrRefused says that the card processor refuses a charge for good.
var ErrRefused = fault.New(fault.Conflict, "refused", "The card processor refused the charge. What it may have charged is given back.")

// QueueOpen writes the payment to be made. It keeps the card token, so that the
// sweeper can send the same charge again.
func (s *Service) QueueOpen(b *pgx.Batch, orderID, accountID uuid.UUID, cents int64, cardToken string) {
	queueInsertPayment(b, uuid.Must(uuid.NewV7()), orderID, accountID, cents, cardToken)
}

// Charge asks the processor until the outcome is definite or ctx ends. It returns
// ErrRefused if the processor refuses the charge for good. Another error leaves
// the outcome unknown; asking again later is right, and charges once.
//
// Before it asks again, it writes down that an attempt was made whose outcome
// nobody heard: a refusal after that does not say that nothing was charged.
func (s *Service) Charge(ctx context.Context, orderID uuid.UUID, cents int64, cardToken string) (captured bool, err error) {
	pause := 25 * time.Millisecond
	for {
		captured, err = s.processor.charge(ctx, orderID, cents, cardToken)
		switch {
		case err == nil:
			return captured, nil
		case definite(err):
			return false, ErrRefused.Because(err)
		}
		select {
		case <-ctx.Done():
			return false, fmt.Errorf("charge order %s: %w", orderID, err)
		case <-time.After(pause):
			pause = min(2*pause, time.Second)
		}
		if err := markDoubtful(ctx, s.pool, orderID); err != nil {
			return false, fmt.Errorf("charge order %s again: %w", orderID, err)
		}
	}
}

// Recharge is Charge for the sweeper, with the amount and the token that the
// pending payment kept. The payment may have been charged already, or may be
// charged at this moment: Recharge marks it doubtful before the processor is
// asked once more. What is settled already is only returned.
func (s *Service) Recharge(ctx context.Context, orderID uuid.UUID) (captured bool, err error) {
	if err := markDoubtful(ctx, s.pool, orderID); err != nil {
		return false, fmt.Errorf("charge order %s again: %w", orderID, err)
	}
	p, cardToken, err := selectCharge(ctx, s.pool, orderID)
	switch {
	case err != nil:
		return false, fmt.Errorf("find the payment of order %s: %w", orderID, err)
	case p.Status != Pending:
		return p.Status != Declined, nil
	case p.Refunding:
		return false, ErrRefused
	}
	return s.Charge(ctx, orderID, p.Amount.Amount, cardToken)
}

// QueueSettle writes down what the processor decided, and forgets the card.
func (s *Service) QueueSettle(b *pgx.Batch, orderID uuid.UUID, captured bool) {
	status := Declined
	if captured {
		status = Captured
	}
	queueSettle(b, orderID, status)
}

// QueueDoubt says that an attempt to charge may have been made whose outcome nobody
// heard: a far stock refused the order before the sweeper charged it again.
func (s *Service) QueueDoubt(b *pgx.Batch, orderID uuid.UUID) { queueDoubt(b, orderID) }

// QueueRefuse ends a payment that the processor refused to charge: nothing was
// charged, or, after an attempt of unknown outcome, the refund tells.
func (s *Service) QueueRefuse(b *pgx.Batch, orderID uuid.UUID) { queueRefuse(b, orderID) }

// QueueForget drops the payment of an order that was sold out before its card was
// charged: as the order, it has never been.
func (s *Service) QueueForget(b *pgx.Batch, orderID uuid.UUID) { queueForget(b, orderID) }

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"banyan/internal/events"
	"banyan/internal/fault"
	"banyan/internal/postgres"
)

const (
	// answerWithin is how long orders is kept waiting for the card processor;
	// it gives up itself after 2.5 s.
	answerWithin = 2300 * time.Millisecond
	// payTime bounds all of it, the database included.
	payTime = 5 * time.Second
)

// Errors of charging.
var (
	ErrAmount  = fault.New(fault.Invalid, "amount-differs", "This order was charged before, with another amount.")
	ErrUnknown = fault.New(fault.Unavailable, "charge-undecided", "The card processor has not decided yet. Ask again.").After(time.Second)
)

// open writes the payment to be made, unless the order has one, and returns the
// one that is there. An order that has none and is too old to get one is void. It keeps the card token, so that whoever finishes the order
// can send the same charge again.
func (s *Service) open(ctx context.Context, orderID, accountID uuid.UUID, cents int64, cardToken string) (p Payment, kept string, err error) {
	var b pgx.Batch
	old := tooOld(orderID)
	if !old {
		queueInsertPayment(&b, uuid.Must(uuid.NewV7()), orderID, accountID, cents, cardToken)
	}
	queueSelectCharge(&b, orderID, &p, &kept)
	err = postgres.Exec(ctx, s.pool, &b)
	if old && errors.Is(err, pgx.ErrNoRows) {
		return Payment{Status: Void}, "", nil
	}
	return p, kept, err
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

// Pay charges the card for the order, once, however often it is asked, and
// reports whether the money is there. It returns ErrAmount if the order was
// charged with another amount. With any other error, such as ErrUnknown, the
// outcome is not known; asking again is right. What is settled already is only
// returned, and a payment that is void counts as declined.
//
// Money may move: a caller that goes away changes nothing, and what the
// processor says is written down for the next one who asks.
func (s *Service) Pay(ctx context.Context, orderID, accountID uuid.UUID, cents int64, cardToken string) (captured bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), payTime)
	defer cancel()
	p, cardToken, err := s.open(ctx, orderID, accountID, cents, cardToken)
	switch {
	case err != nil:
		return false, fmt.Errorf("open the payment of order %s: %w", orderID, err)
	case p.Status == Void:
		return false, nil
	case p.Amount.Amount != cents:
		return false, ErrAmount
	case p.Status != Pending:
		return p.Status != Declined, nil
	}
	charging, giveUp := context.WithTimeout(ctx, answerWithin)
	defer giveUp()
	captured, err = s.Charge(charging, orderID, cents, cardToken)
	if err != nil {
		return false, ErrUnknown.Because(err)
	}
	if err := s.settle(ctx, p, captured); err != nil {
		return false, err
	}
	return captured, nil
}

// settle writes down what the processor decided, and forgets the card. Whoever
// asked at the same time and was quicker has heard, and written, the same.
func (s *Service) settle(ctx context.Context, p Payment, captured bool) error {
	status := Declined
	if captured {
		status = Captured
	}
	var b pgx.Batch
	queueSettle(&b, p.OrderID, status)
	if captured {
		events.Queue(ctx, &b, paymentCaptured, paymentEvent(p))
	}
	if err := postgres.Exec(ctx, s.pool, &b); err != nil && !moved(err) {
		return fmt.Errorf("settle the payment of order %s: %w", p.OrderID, err)
	}
	s.wake()
	return nil
}

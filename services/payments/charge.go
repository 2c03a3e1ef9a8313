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
	// payTime bounds all of it once the payment is open, the database included.
	payTime = 5 * time.Second
)

// Errors of charging.
var (
	ErrAmount  = fault.New(fault.Invalid, "amount-differs", "This order was charged before, with another amount.")
	ErrRefused = fault.New(fault.Conflict, "refused", "The card processor refused the charge. What it may have charged is given back.")
	ErrUnknown = fault.New(fault.Unavailable, "charge-undecided", "The card processor has not decided yet. Ask again.").After(time.Second)
)

// open writes the payment to be made, unless the order has one, and returns the
// one that is there. An order that has none and is too old to get one is void.
// It keeps the card token, so that a later request for the order can send the same
// charge again. A payment that is there and pending may have been charged already,
// or may be charged at this moment: open marks it doubtful before the processor is
// asked once more.
func (s *Service) open(ctx context.Context, orderID, accountID uuid.UUID, cents int64, cardToken string) (Payment, string, error) {
	var b pgx.Batch
	var p Payment
	var kept string
	old := tooOld(orderID)
	if !old {
		queueInsertPayment(&b, uuid.Must(uuid.NewV7()), orderID, accountID, cents, cardToken)
	}
	queueSelectCharge(&b, orderID, &p, &kept)
	err := postgres.ExecOnce(ctx, s.pool, &b)
	switch {
	case old && errors.Is(err, pgx.ErrNoRows):
		return Payment{Status: Void}, "", nil
	case err != nil:
		return Payment{}, "", err
	}
	return p, kept, nil
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

// Pay charges the card for the order, once, however often it is asked, and
// reports whether the money is there. It returns ErrAmount if the order was
// charged with another amount, and ErrRefused if the processor refuses the charge
// for good. With any other error, such as ErrUnknown, the outcome is not known;
// asking again is right. What is settled already is only returned, and a payment
// that is void counts as declined.
//
// A caller that goes away before there is a connection has asked for nothing.
// After that money may move, and its going changes nothing: what the processor
// says is written down for the next request.
func (s *Service) Pay(ctx context.Context, orderID, accountID uuid.UUID, cents int64, cardToken string) (captured bool, err error) {
	opening, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	p, cardToken, err := s.open(opening, orderID, accountID, cents, cardToken)
	ctx, giveUp := context.WithTimeout(context.WithoutCancel(ctx), payTime)
	defer giveUp()
	switch {
	case err != nil:
		return false, fmt.Errorf("open the payment of order %s: %w", orderID, err)
	case p.Status == Void:
		return false, nil
	case p.Amount.Amount != cents:
		return false, ErrAmount
	case p.Status != Pending || p.Refunding:
		return p.outcome()
	}
	charging, stop := context.WithTimeout(ctx, answerWithin)
	defer stop()
	captured, err = s.Charge(charging, orderID, cents, cardToken)
	refused := errors.Is(err, ErrRefused)
	if err != nil && !refused {
		return false, ErrUnknown.Because(err)
	}
	p, err = s.settle(ctx, p, captured, refused)
	if err != nil {
		return false, fmt.Errorf("settle the payment of order %s: %w", orderID, err)
	}
	return p.outcome()
}

// settle writes down what the processor decided, forgets the card, and returns
// the payment as it is then. Of several requests for one order that heard
// different things, the first one to settle decides.
func (s *Service) settle(ctx context.Context, p Payment, captured, refused bool) (Payment, error) {
	var b pgx.Batch
	switch {
	case refused:
		queueRefuse(&b, p.OrderID)
	case captured:
		queueSettle(&b, p.OrderID, Captured)
		events.Queue(ctx, &b, paymentCaptured, paymentEvent(p))
	default:
		queueSettle(&b, p.OrderID, Declined)
	}
	var card string
	queueSelectCharge(&b, p.OrderID, &p, &card)
	err := postgres.Exec(ctx, s.pool, &b)
	if moved(err) {
		var look pgx.Batch
		queueSelectCharge(&look, p.OrderID, &p, &card)
		err = postgres.Exec(ctx, s.pool, &look)
	}
	s.wake()
	return p, err
}

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"banyan/internal/fault"
	"banyan/internal/postgres"
)

// The states of a reservation. The order decides what becomes of it, so it
// never ends by itself:
//
//	reserved → committed    refused
//	   ↓          ↓
//	       released
//
// An order that is cancelled before it reserves begins released.
const (
	Reserved  = "reserved"  // the copies are in the house, and promised
	Refused   = "refused"   // there were too few
	Committed = "committed" // paid for: the copies are sold
	Released  = "released"  // cancelled: the copies are anybody's
)

// Errors of reserving.
var (
	ErrSoldOut     = fault.New(fault.Conflict, "sold-out", "There are not enough copies left.")
	ErrCancelled   = fault.New(fault.Conflict, "order-cancelled", "The order is cancelled, so nothing is reserved for it.")
	ErrTooOld      = fault.New(fault.Conflict, "order-too-old", "The order is too old to reserve anything for it now.")
	ErrBusy        = fault.New(fault.Unavailable, "busy", "Too much is changing at once. Please try again.").After(time.Second)
	ErrNotReserved = fault.New(fault.NotFound, "not-reserved", "Nothing is reserved for this order.")
	ErrRefused     = fault.New(fault.Invalid, "reservation-refused", "The order is paid, though its reservation was refused.")
)

// reservation is what an order was promised, in order of book id, or what of
// that there is too little of.
type reservation struct {
	Status     string
	Short      []Short
	Books      []uuid.UUID
	Quantities []int
}

// Short is a book of which there are fewer copies than were asked for.
type Short struct {
	BookID    uuid.UUID `json:"book_id"`
	Available int       `json:"available"`
	Requested int       `json:"requested"`
}

// attempts bounds how often a reservation starts again because the stock
// changed under it.
const attempts = 8

// Reserve promises copies of the books to the order, all of them or none. It
// returns ErrSoldOut if there are too few of any, ErrCancelled if the order was cancelled
// before, and ErrTooOld if nothing is known of an order that is older than a refusal is
// kept. Asking again for the same order gets the same answer and
// changes nothing. The books must be in order of id: two reservations that lock
// the same rows in the same order never deadlock.
//
// It is one batch, so one round trip and one transaction. A batch has no `if`;
// what must stop it raises: an order that has a row, stock that would be
// promised twice, a book that is not in stock.
func (s *Service) Reserve(ctx context.Context, orderID uuid.UUID, books []uuid.UUID, quantities []int) error {
	if tooOld(orderID) {
		if err := s.repeat(ctx, orderID); !errors.Is(err, ErrNotReserved) {
			return err
		}
		return ErrTooOld
	}
	for range attempts {
		var b pgx.Batch
		queueInsertReservation(&b, orderID)
		for n, id := range books {
			queueTake(&b, orderID, id, quantities[n])
		}
		queueTell(ctx, &b, orderID)
		err := postgres.Exec(ctx, s.pool, &b)
		if refused(err) {
			err = s.refuse(ctx, orderID, books, quantities)
		}
		switch {
		case err == nil:
			s.wake()
			return nil
		case repeated(err):
			return s.repeat(ctx, orderID)
		case errors.Is(err, errEnough), postgres.Retryable(err):
			continue
		default:
			return fmt.Errorf("reserve for order %s: %w", orderID, err)
		}
	}
	return ErrBusy
}

// errEnough says that there is enough after all.
var errEnough = errors.New("there are enough copies by now")

// refuse keeps, in a transaction of its own, that there are too few copies: the
// one that failed left nothing behind.
func (s *Service) refuse(ctx context.Context, orderID uuid.UUID, books []uuid.UUID, quantities []int) error {
	short, err := insertRefusal(ctx, s.pool, orderID, books, quantities)
	if err != nil {
		return err
	}
	if short == nil {
		return errEnough
	}
	return ErrSoldOut.With("books", short)
}

// repeat answers for an order that has a row.
func (s *Service) repeat(ctx context.Context, orderID uuid.UUID) error {
	r, err := selectReservation(ctx, s.pool, orderID)
	switch {
	case err != nil:
		return fmt.Errorf("look for the reservation of order %s: %w", orderID, err)
	case r.Status == Refused:
		return ErrSoldOut.With("books", r.Short)
	case r.Status == Released:
		return ErrCancelled
	}
	return nil
}

// queueCommit takes the copies of a paid order off the shelf, unless they are
// sold already or the cancellation came first. What can be bought stays the same,
// so there is nothing to tell. Without a reservation the batch fails with
// ErrNotReserved: one may come, so the event has to come again.
func queueCommit(b *pgx.Batch, orderID uuid.UUID) {
	queueExpectPromise(b, orderID)
	queueSell(b, orderID)
}

// release puts the copies of a cancelled order back on the shelf. Without a
// reservation it writes the row that refuses a late one.
func release(ctx context.Context, tx pgx.Tx, orderID uuid.UUID) error {
	if err := insertReleased(ctx, tx, orderID); err != nil {
		return err
	}
	r, err := lockReservation(ctx, tx, orderID)
	if err != nil {
		return fmt.Errorf("release the reservation of order %s: %w", orderID, err)
	}
	if r.Status == Released || r.Status == Refused {
		return nil
	}
	var b pgx.Batch
	queueReservationStatus(&b, orderID, Released)
	for n, id := range r.Books {
		if r.Status == Reserved {
			queueMove(&b, id, 0, -r.Quantities[n])
		} else {
			queueMove(&b, id, r.Quantities[n], 0)
		}
	}
	queueTell(ctx, &b, orderID)
	return postgres.Exec(ctx, tx, &b)
}

// refused reports whether a batch failed because there were too few copies.
func refused(err error) bool {
	return postgres.CheckViolation(err, "stock_not_oversold") ||
		postgres.NotNullViolation(err, "reservation_items", "book_id")
}

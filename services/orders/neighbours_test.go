package main

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"banyan/internal/fault"
)

// neighbours stand in for the other services, with what orders relies on: each
// is idempotent under the order's id, and what it decided once stays.
type neighbours struct {
	shelf   *shelf
	cashier *cashier
	depot   *depot
	post    *post

	t    *testing.T
	pool *pgxpool.Pool

	mu    sync.Mutex
	heard map[uuid.UUID]bool // events
}

func newNeighbours(t *testing.T, pool *pgxpool.Pool) *neighbours {
	return &neighbours{
		shelf:   &shelf{copies: map[uuid.UUID]int{}, reserved: map[uuid.UUID]*reservation{}},
		cashier: &cashier{charges: map[uuid.UUID]*charge{}},
		depot:   &depot{parcels: map[uuid.UUID]string{}},
		post:    &post{mails: map[uuid.UUID][]string{}},
		t:       t, pool: pool, heard: map[uuid.UUID]bool{},
	}
}

// wire is the way to a neighbour. It delivers each call once, unless the test
// has it do otherwise.
type wire struct {
	mu  sync.Mutex
	via func(ctx context.Context, deliver func() error) error
}

func (w *wire) goes(via func(ctx context.Context, deliver func() error) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.via = via
}

func (w *wire) send(ctx context.Context, deliver func() error) error {
	w.mu.Lock()
	via := w.via
	w.mu.Unlock()
	if via == nil {
		return deliver()
	}
	return via(ctx, deliver)
}

// errLost is what a caller knows of a call without an answer.
var errLost = fault.New(fault.Unavailable, "", "Something we need is away for a moment.")

// Definite answers that are no.
var (
	errNo      = fault.New(fault.Invalid, "", "Not acceptable.")
	errNever   = fault.New(fault.Malformed, "", "It cannot be read.")
	errTooMuch = fault.New(fault.TooLarge, "", "The request body is too large.")
	errAgainst = fault.New(fault.Conflict, "order-cancelled", "The order is cancelled.")
)

// Ways that a wire can go.
func refuses(context.Context, func() error) error { return errNo }

func losesRequests(context.Context, func() error) error { return errLost }

func losesAnswers(_ context.Context, deliver func() error) error {
	_ = deliver()
	return errLost
}

func sendsTwice(_ context.Context, deliver func() error) error {
	_ = deliver()
	return deliver()
}

func hangs(ctx context.Context, _ func() error) error {
	<-ctx.Done()
	return errLost.Because(ctx.Err())
}

// crashes takes the process down when the answer is there.
func crashes(_ context.Context, deliver func() error) error {
	_ = deliver()
	panic("the process is gone")
}

// meanwhile does something once, while the answer is on its way. What it does
// may go the same way.
func meanwhile(do func()) func(context.Context, func() error) error {
	var done atomic.Bool
	return func(_ context.Context, deliver func() error) error {
		err := deliver()
		if !done.Swap(true) {
			do()
		}
		return err
	}
}

// shelf stands in for inventory.
type shelf struct {
	wire
	mu       sync.Mutex
	copies   map[uuid.UUID]int // that can be bought
	reserved map[uuid.UUID]*reservation
}

type reservation struct {
	status     string // reserved, refused, committed or released
	books      []uuid.UUID
	quantities []int
	short      []short
}

func (s *shelf) Reserve(ctx context.Context, orderID uuid.UUID, books []uuid.UUID, quantities []int) error {
	return s.send(ctx, func() error { return s.reserve(orderID, books, quantities) })
}

func (s *shelf) reserve(orderID uuid.UUID, books []uuid.UUID, quantities []int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.reserved[orderID]
	if r == nil {
		r = &reservation{"reserved", books, quantities, nil}
		for n, id := range books {
			if s.copies[id] < quantities[n] {
				r.status = "refused"
				r.short = append(r.short, short{BookID: id, Available: s.copies[id], Requested: quantities[n]})
			}
		}
		s.reserved[orderID] = r
		if r.status == "reserved" {
			s.move(r, -1)
		}
	}
	switch r.status {
	case "refused":
		names, _ := json.Marshal(r.short)
		return ErrSoldOut.With("books", json.RawMessage(names))
	case "released":
		return fault.New(fault.Conflict, "order-cancelled", "The order is cancelled.")
	}
	return nil
}

func (s *shelf) move(r *reservation, times int) {
	for n, id := range r.books {
		s.copies[id] += times * r.quantities[n]
	}
}

func (s *shelf) arrive(bookID uuid.UUID, copies int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.copies[bookID] += copies
}

func (s *shelf) paid(orderID uuid.UUID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.reserved[orderID]; r != nil && r.status == "reserved" {
		r.status = "committed"
	}
}

func (s *shelf) cancelled(orderID uuid.UUID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.reserved[orderID]
	if r == nil {
		s.reserved[orderID] = &reservation{status: "released"}
		return
	}
	if r.status == "reserved" || r.status == "committed" {
		r.status = "released"
		s.move(r, 1)
	}
}

// cashier stands in for payments. The card says what becomes of the charge.
type cashier struct {
	wire
	mu      sync.Mutex
	charges map[uuid.UUID]*charge
}

type charge struct {
	status string // captured, declined, refunded, or refused: cancelled before it was asked for
	cents  int64
}

func (c *cashier) Charge(ctx context.Context, orderID, _ uuid.UUID, cents int64, cardToken string) (captured bool, err error) {
	err = c.send(ctx, func() (err error) {
		captured, err = c.charge(orderID, cents, cardToken)
		return err
	})
	return captured && err == nil, err
}

func (c *cashier) charge(orderID uuid.UUID, cents int64, cardToken string) (captured bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	made := c.charges[orderID]
	if made == nil {
		if cardToken == "tok_refused" {
			return false, errNo
		}
		made = &charge{"captured", cents}
		if cardToken != "tok_visa" {
			made.status = "declined"
		}
		c.charges[orderID] = made
	}
	if made.status != "refused" && made.cents != cents {
		return false, fault.New(fault.Invalid, "", "The amount is another one.")
	}
	return made.status == "captured" || made.status == "refunded", nil
}

func (c *cashier) cancelled(orderID uuid.UUID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	made := c.charges[orderID]
	if made == nil {
		c.charges[orderID] = &charge{status: "refused"}
	} else if made.status == "captured" {
		made.status = "refunded"
	}
}

// depot stands in for shipping.
type depot struct {
	wire
	mu      sync.Mutex
	parcels map[uuid.UUID]string // preparing, dispatched or cancelled, by order
}

func (d *depot) Cancel(ctx context.Context, orderID, _ uuid.UUID) error {
	return d.send(ctx, func() error { return d.cancel(orderID) })
}

func (d *depot) cancel(orderID uuid.UUID) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.parcels[orderID] == "dispatched" {
		return ErrShipped
	}
	d.parcels[orderID] = "cancelled"
	return nil
}

func (d *depot) paid(orderID uuid.UUID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.parcels[orderID] == "" {
		d.parcels[orderID] = "preparing"
	}
}

// dispatch reports whether there is a parcel that can leave.
func (d *depot) dispatch(orderID uuid.UUID) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.parcels[orderID] != "preparing" {
		return false
	}
	d.parcels[orderID] = "dispatched"
	return true
}

// post stands in for notifications.
type post struct {
	mu    sync.Mutex
	mails map[uuid.UUID][]string // kinds, by order
}

func (p *post) send(orderID uuid.UUID, kind string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mails[orderID] = append(p.mails[orderID], kind)
}

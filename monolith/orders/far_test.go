package orders

import (
	"context"
	"encoding/json"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"banyan/internal/fault"
	"banyan/internal/money"
	"banyan/internal/testdb"
	"banyan/internal/web"
	"banyan/migrations"
	"banyan/scripts/lab/ladder"
)

// The steps of the ladder at which another neighbour of a checkout is far.
const (
	stockIsFar     = 5
	paymentsAreFar = 6
	shippingIsFar  = 7
)

// climbed is a database at the step, with the rights that the module has there.
func climbed(t *testing.T, step int) *testdb.DB {
	t.Helper()
	db := testdb.New(t, migrations.FS)
	require.NoError(t, ladder.Climb(t.Context(), db.SuperuserURL(), step, func(string) {}))
	return db
}

// farShop is the module alone at a step of the ladder, among stand-ins for what is
// near and what is far.
type farShop struct {
	shop
	*farNeighbours
}

func newFarShop(t *testing.T, step int) farShop {
	t.Helper()
	pool := climbed(t, step).Pool("monolith_app")
	n := newFarNeighbours(t, pool, step)
	near, far := n.joined(n.neighbours.cashier, n)
	s := New(pool, func() {}, near, far, sweepAfter)
	e := web.New(web.Options{Log: quiet})
	Register(e.Group(""), s, web.SignedIn(byHeader))
	return farShop{shop{s, n.neighbours, t, pool, e}, n}
}

// customer has no account here: accounts is far.
func (s farShop) customer() customer { return customer{s.shop, uuid.New()} }

// book adds one, at so many cents, with so many copies on inventory's shelf.
func (s farShop) book(title string, cents int64, copies int) book {
	s.t.Helper()
	b := book{uuid.Must(uuid.NewV7()), title}
	s.exec(`insert into books (id, title, price, version) values ($1, $2, $3, 1)`, b.id, title, money.USD(cents))
	s.shelf.arrive(b.id, copies)
	return b
}

// ships sends the order's parcel off, and orders hears of it.
func (s farShop) ships(id uuid.UUID) {
	s.t.Helper()
	if s.step < shippingIsFar {
		s.shop.ships(id)
		return
	}
	s.listen()
	require.True(s.t, s.depot.dispatch(id))
	require.NoError(s.t, s.hears("shipment.dispatched", shipmentData{id}))
}

// farNeighbours stand in for the services that the other modules have become, with what
// orders relies on: each is idempotent under the order's id, and what it decided once
// stays. What is still near is among the neighbours.
type farNeighbours struct {
	*neighbours
	step    int
	shelf   *farShelf
	cashier *farCashier
	depot   *farDepot
	post    *farPost

	mu    sync.Mutex
	heard map[uuid.UUID]bool // events
}

func newFarNeighbours(t *testing.T, pool *pgxpool.Pool, step int) *farNeighbours {
	return &farNeighbours{
		neighbours: newNeighbours(t, pool), step: step,
		shelf:   &farShelf{copies: map[uuid.UUID]int{}, reserved: map[uuid.UUID]*reservation{}},
		cashier: &farCashier{charges: map[uuid.UUID]*charge{}},
		depot:   &farDepot{parcels: map[uuid.UUID]string{}},
		post:    &farPost{mails: map[uuid.UUID][]string{}},
		heard:   map[uuid.UUID]bool{},
	}
}

// cards are payments that are near.
type cards interface {
	Payments
	Recovery
	Refunds
}

// calls are the ways to what is far.
type calls interface {
	Reserver
	Charger
	Keeper
}

// joined are the neighbours that orders has at the step.
func (n *farNeighbours) joined(cards cards, calls calls) (near Near, far Far) {
	far.Stock = calls
	if n.step < paymentsAreFar {
		near.Payments, near.Recovery, near.Refunds = cards, cards, cards
	} else {
		far.Payments = calls
	}
	if n.step < shippingIsFar {
		near.Shipments = n.neighbours.depot
	} else {
		far.Shipments = calls
	}
	return near, far
}

// The neighbours themselves are the ways to them.

func (n *farNeighbours) Reserve(ctx context.Context, orderID uuid.UUID, books []uuid.UUID, quantities []int) error {
	return n.shelf.Reserve(ctx, orderID, books, quantities)
}

func (n *farNeighbours) Charge(ctx context.Context, orderID, accountID uuid.UUID, cents int64, cardToken string) (bool, error) {
	return n.cashier.Charge(ctx, orderID, accountID, cents, cardToken)
}

func (n *farNeighbours) Cancel(ctx context.Context, orderID, accountID uuid.UUID) error {
	return n.depot.Cancel(ctx, orderID, accountID)
}

// Definite answers that are no.
var (
	errNo      = fault.New(fault.Invalid, "", "Not acceptable.")
	errNever   = fault.New(fault.Malformed, "", "It cannot be read.")
	errTooMuch = fault.New(fault.TooLarge, "", "The request body is too large.")
	errAgainst = fault.New(fault.Conflict, "order-cancelled", "The order is cancelled.")
)

func sendsTwice(_ context.Context, deliver func() error) error {
	_ = deliver()
	return deliver()
}

// farShelf stands in for inventory.
type farShelf struct {
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

func (s *farShelf) Reserve(ctx context.Context, orderID uuid.UUID, books []uuid.UUID, quantities []int) error {
	return s.send(ctx, func() error { return s.reserve(orderID, books, quantities) })
}

func (s *farShelf) reserve(orderID uuid.UUID, books []uuid.UUID, quantities []int) error {
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
		return errAgainst
	}
	return nil
}

func (s *farShelf) move(r *reservation, times int) {
	for n, id := range r.books {
		s.copies[id] += times * r.quantities[n]
	}
}

func (s *farShelf) arrive(bookID uuid.UUID, copies int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.copies[bookID] += copies
}

func (s *farShelf) paid(orderID uuid.UUID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.reserved[orderID]; r != nil && r.status == "reserved" {
		r.status = "committed"
	}
}

func (s *farShelf) cancelled(orderID uuid.UUID) {
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

// farCashier stands in for payments. The card says what becomes of the charge.
type farCashier struct {
	wire
	mu      sync.Mutex
	charges map[uuid.UUID]*charge
}

type charge struct {
	status string // captured, declined, refunded, or refused: cancelled before it was asked for
	cents  int64
}

func (c *farCashier) Charge(ctx context.Context, orderID, _ uuid.UUID, cents int64, cardToken string) (captured bool, err error) {
	err = c.send(ctx, func() (err error) {
		captured, err = c.charge(orderID, cents, cardToken)
		return err
	})
	return captured && err == nil, err
}

func (c *farCashier) charge(orderID uuid.UUID, cents int64, cardToken string) (captured bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	made := c.charges[orderID]
	if made == nil {
		if cardToken == "tok_refused" || cardToken == "" {
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

func (c *farCashier) cancelled(orderID uuid.UUID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	made := c.charges[orderID]
	if made == nil {
		c.charges[orderID] = &charge{status: "refused"}
	} else if made.status == "captured" {
		made.status = "refunded"
	}
}

// farDepot stands in for shipping.
type farDepot struct {
	wire
	mu      sync.Mutex
	parcels map[uuid.UUID]string // preparing, dispatched or cancelled, by order
}

func (d *farDepot) Cancel(ctx context.Context, orderID, _ uuid.UUID) error {
	return d.send(ctx, func() error { return d.cancel(orderID) })
}

func (d *farDepot) cancel(orderID uuid.UUID) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.parcels[orderID] == "dispatched" {
		return ErrShipped
	}
	d.parcels[orderID] = "cancelled"
	return nil
}

func (d *farDepot) paid(orderID uuid.UUID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.parcels[orderID] == "" {
		d.parcels[orderID] = "preparing"
	}
}

// dispatch reports whether there is a parcel that can leave.
func (d *farDepot) dispatch(orderID uuid.UUID) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.parcels[orderID] != "preparing" {
		return false
	}
	d.parcels[orderID] = "dispatched"
	return true
}

// farPost stands in for notifications.
type farPost struct {
	mu    sync.Mutex
	mails map[uuid.UUID][]string // kinds, by order
}

func (p *farPost) send(orderID uuid.UUID, kind string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mails[orderID] = append(p.mails[orderID], kind)
}

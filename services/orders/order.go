package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"banyan/internal/fault"
	"banyan/internal/money"
	"banyan/internal/postgres"
)

// The states of an order. It starts pending and ends shipped or cancelled:
//
//	pending → paid → shipped
//	   ↓        ↓
//	cancelled cancelled
const (
	Pending   = "pending"
	Paid      = "paid"
	Shipped   = "shipped"
	Cancelled = "cancelled"
)

// Why an order was cancelled.
const (
	Declined = "declined" // by the card processor
	Customer = "customer" // at the customer's wish
	SoldOut  = "sold_out" // after a 202; before one, the order is deleted
	Refused  = "refused"  // by a neighbour, or by the card processor, with a definite no that is none of these
)

// Errors of orders.
var (
	ErrNotFound  = fault.New(fault.NotFound, "no-such-order", "There is no such order.")
	ErrPending   = fault.New(fault.Conflict, "order-pending", "An order of yours is not settled yet. Wait for it.").After(time.Second)
	ErrShipped   = fault.New(fault.Conflict, "order-shipped", "The order has been shipped and cannot be cancelled.")
	ErrEmptyCart = fault.New(fault.Invalid, "cart-empty", "The cart is empty.")
	ErrSoldOut   = fault.New(fault.Conflict, "sold-out", "There are not enough copies left.")
	ErrDeclined  = fault.New(fault.Declined, "declined", "The card was declined. Nothing was charged; the cart is as it was.")
	ErrRefused   = fault.New(fault.Conflict, "refused", "The order was refused and is cancelled. The cart is as it was; should anything have been charged, it is given back.")
	ErrNoWord    = fault.New(fault.Unavailable, "shipping-away", "Shipping cannot be asked for a moment. The order is cancelled as soon as it can, unless it has left by then.").After(time.Second)
	ErrBusy      = fault.New(fault.Unavailable, "busy", "Too much is changing at once. Please try again.").After(time.Second)
)

// Order is what somebody bought, or tried to.
type Order struct {
	ID              uuid.UUID   `json:"id"`
	AccountID       uuid.UUID   `json:"-"`
	Status          string      `json:"status"`
	Items           []Item      `json:"items"` // in order of book id
	Total           money.Money `json:"total"`
	ShippingAddress Address     `json:"shipping_address"`
	PlacedAt        time.Time   `json:"placed_at"`
	CancelReason    *string     `json:"cancel_reason"`
	CardToken       string      `json:"-"` // kept only until the order is settled
}

// Item is a line of an order, with title and price as they were when it was placed.
type Item struct {
	BookID    uuid.UUID   `json:"book_id"`
	Title     string      `json:"title"`
	Quantity  int         `json:"quantity"`
	UnitPrice money.Money `json:"unit_price"`
}

// Address is where an order goes.
type Address struct {
	Name     string `json:"name"`
	Street   string `json:"street"`
	City     string `json:"city"`
	Postcode string `json:"postcode"`
	Country  string `json:"country"` // ISO 3166 alpha-2
}

func (a Address) check(c *fault.Checks) {
	c.Text("shipping_address.name", a.Name, 1, 200)
	c.Text("shipping_address.street", a.Street, 1, 200)
	c.Text("shipping_address.city", a.City, 1, 200)
	c.Text("shipping_address.postcode", a.Postcode, 1, 200)
	upper := func(b byte) bool { return b >= 'A' && b <= 'Z' }
	c.That(len(a.Country) == 2 && upper(a.Country[0]) && upper(a.Country[1]),
		"shipping_address.country", "must be two capital letters")
}

// newOrder is the pending order for a cart.
func newOrder(accountID uuid.UUID, cart Cart, address Address, cardToken string) Order {
	o := Order{
		ID: uuid.Must(uuid.NewV7()), AccountID: accountID, Status: Pending, Total: cart.Total,
		ShippingAddress: address, CardToken: cardToken,
		PlacedAt: time.Now().UTC().Truncate(time.Microsecond), // what the database keeps
	}
	for _, i := range cart.Items {
		o.Items = append(o.Items, Item{i.BookID, i.Title, i.Quantity, i.UnitPrice})
	}
	return o
}

// books are the order's books, in order of id.
func (o Order) books() []uuid.UUID {
	ids := make([]uuid.UUID, len(o.Items))
	for i, item := range o.Items {
		ids[i] = item.BookID
	}
	return ids
}

// quantities are how many of each of the books.
func (o Order) quantities() []int {
	ns := make([]int, len(o.Items))
	for i, item := range o.Items {
		ns[i] = item.Quantity
	}
	return ns
}

// cancelled is the order after a cancellation.
func (o Order) cancelled(reason string) Order {
	o.Status, o.CancelReason = Cancelled, &reason
	return o
}

// paid is the order after its payment.
func (o Order) paid() Order {
	o.Status = Paid
	return o
}

// Service is the orders service.
type Service struct {
	pool       *pgxpool.Pool
	wake       func() // after a commit that has something to publish
	far        Far
	sweepAfter time.Duration
}

// New returns the carts and orders that the pool's database holds. wake is
// called after each commit that has something to publish. An order that is
// pending for longer than sweepAfter is the sweeper's.
func New(pool *pgxpool.Pool, wake func(), far Far, sweepAfter time.Duration) *Service {
	return &Service{pool, wake, far, sweepAfter}
}

// Order returns one of the account's orders, or ErrNotFound.
func (s *Service) Order(ctx context.Context, accountID, id uuid.UUID) (Order, error) {
	o, err := selectOrder(ctx, s.pool, id)
	if err == nil && o.AccountID != accountID {
		return Order{}, ErrNotFound
	}
	return o, err
}

// Orders returns the account's orders, newest first: one more than limit, if
// there is one.
func (s *Service) Orders(ctx context.Context, accountID uuid.UUID, limit int, after position) ([]Order, error) {
	return selectOrders(ctx, s.pool, accountID, limit+1, after)
}

// Cancel cancels a paid order and returns it; one that is cancelled already is
// returned as it is. The refund and the stock follow a little later. It returns
// ErrPending, ErrShipped or ErrNotFound if it cannot, and a fault of the kind
// Unavailable if shipping cannot be asked; the wish is kept then, and the
// sweeper asks again, for the answer may only have been lost.
func (s *Service) Cancel(ctx context.Context, accountID, id uuid.UUID) (Order, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	for range attempts {
		o, err := s.Order(ctx, accountID, id)
		if err != nil {
			return Order{}, err
		}
		switch o.Status {
		case Cancelled:
			return o, nil
		case Pending:
			return Order{}, ErrPending
		case Shipped:
			return Order{}, ErrShipped
		}
		err = s.requestCancel(ctx, o)
		if err == nil {
			err = s.cancelPaid(ctx, o)
		}
		switch {
		case err == nil:
			return o.cancelled(Customer), nil
		case moved(err), postgres.Retryable(err):
			continue // somebody was quicker; see what it is now
		}
		return Order{}, fmt.Errorf("cancel order %s: %w", id, err)
	}
	return Order{}, ErrBusy
}

// requestCancel writes the wish down before shipping is asked, or a crash
// between the two answers would leave a paid order whose parcel never leaves.
func (s *Service) requestCancel(ctx context.Context, o Order) error {
	var b pgx.Batch
	queueCancelRequest(&b, o.ID, s.sweepAfter)
	return postgres.ExecWithin(ctx, s.pool, &b)
}

// cancelPaid lets shipping decide: a parcel that has left cannot be called back.
func (s *Service) cancelPaid(ctx context.Context, o Order) error {
	var b pgx.Batch
	err := s.far.Shipments.Cancel(ctx, o.ID, o.AccountID)
	if errors.Is(err, ErrShipped) {
		queueForgetCancelRequest(&b, o.ID)
		return errors.Join(err, postgres.Exec(ctx, s.pool, &b))
	}
	if err != nil {
		return ErrNoWord.Because(err) // whatever shipping says, the customer is not to blame
	}
	s.queueTransition(&b, o.ID, Paid, Cancelled, Customer)
	s.tell(ctx, &b, o.cancelled(Customer), false)
	if err := postgres.ExecWithin(ctx, s.pool, &b); err != nil {
		return err
	}
	s.wake()
	return nil
}

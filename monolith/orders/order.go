package orders

import (
	"context"
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
	Refused  = "refused"  // by the card processor, with a definite no that is no decline
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
func newOrder(accountID uuid.UUID, cart Cart, address Address) Order {
	o := Order{
		ID: uuid.Must(uuid.NewV7()), AccountID: accountID, Status: Pending, Total: cart.Total,
		ShippingAddress: address,
		PlacedAt:        time.Now().UTC().Truncate(time.Microsecond), // what the database keeps
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

// Service is the orders module.
type Service struct {
	pool       *pgxpool.Pool
	stock      Stock
	payments   Payments
	recovery   Recovery
	shipments  Shipments
	mail       Mail
	sweepAfter time.Duration
}

// Neighbours are the other sides of the seams.
type Neighbours struct {
	Stock     Stock
	Payments  Payments
	Recovery  Recovery
	Shipments Shipments
	Mail      Mail
}

// New returns the carts and orders that the pool's database holds. An order
// that is pending for longer than sweepAfter is the sweeper's.
func New(pool *pgxpool.Pool, n Neighbours, sweepAfter time.Duration) *Service {
	return &Service{pool, n.Stock, n.Payments, n.Recovery, n.Shipments, n.Mail, sweepAfter}
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
// returned as it is. The refund follows a little later. It returns ErrPending,
// ErrShipped or ErrNotFound if it cannot.
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
		err = s.cancelPaid(ctx, o)
		switch {
		case err == nil:
			return o.cancelled(Customer), nil
		case s.shipments.Dispatched(err):
			return Order{}, ErrShipped
		case moved(err), postgres.Retryable(err):
			continue // somebody was quicker; see what it is now
		}
		return Order{}, fmt.Errorf("cancel order %s: %w", id, err)
	}
	return Order{}, ErrBusy
}

func (s *Service) cancelPaid(ctx context.Context, o Order) error {
	var b pgx.Batch
	queueTransition(&b, o.ID, Paid, Cancelled, Customer)
	s.shipments.QueueCancel(&b, o.ID)
	s.stock.QueueGiveBack(&b, o.books(), o.quantities())
	s.recovery.QueueRefund(&b, o.ID)
	s.mail.QueueCancelled(&b, o.ID, o.AccountID, Customer)
	return postgres.ExecWithin(ctx, s.pool, &b)
}

// Fulfilment is how shipping reports what it did.
type Fulfilment struct{ Mail Mail }

// QueueShipped marks a paid order shipped and queues the mail. The batch fails,
// and Refused reports it, if the order is not paid.
func (f Fulfilment) QueueShipped(b *pgx.Batch, orderID, accountID uuid.UUID) {
	queueTransition(b, orderID, Paid, Shipped, "")
	f.Mail.QueueShipped(b, orderID, accountID)
}

// Refused reports whether a batch failed because the order was not paid.
func (f Fulfilment) Refused(err error) bool { return moved(err) }

package orders

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"banyan/internal/fault"
	"banyan/internal/money"
	"banyan/internal/postgres"
)

// Cart is what somebody is about to buy, at today's prices.
type Cart struct {
	Items   []CartItem  `json:"items"` // in order of book id
	Total   money.Money `json:"total"`
	version int64       // moves with every change
}

// CartItem is one line of a cart.
type CartItem struct {
	BookID    uuid.UUID   `json:"book_id"`
	Title     string      `json:"title"`
	Quantity  int         `json:"quantity"`
	UnitPrice money.Money `json:"unit_price"`
	LineTotal money.Money `json:"line_total" db:"-"`
	Stock     int         `json:"-"` // while it is near
}

// maxTitles bounds the lines of a cart, and so the size of all that is made of
// one: the reservation that inventory is asked for, and the order's events.
const maxTitles = 100

// Errors of carts.
var (
	ErrNoBook   = fault.New(fault.NotFound, "no-such-book", "There is no such book.")
	ErrCartFull = fault.New(fault.Invalid, "cart-full", "A cart holds at most 100 titles.")
)

func checkQuantity(n int) error {
	var c fault.Checks
	c.That(n >= 1 && n <= 99, "quantity", "must be 1 to 99")
	return c.Err()
}

func newCart(items []CartItem, version int64) Cart {
	cart := Cart{Items: items, Total: money.USD(0), version: version}
	for i := range items {
		items[i].LineTotal = items[i].UnitPrice.Times(items[i].Quantity)
		cart.Total = cart.Total.Plus(items[i].LineTotal)
	}
	return cart
}

// short are the lines that ask for more than there is.
func (c Cart) short() []short {
	var books []short
	for _, i := range c.Items {
		if i.Quantity > i.Stock {
			books = append(books, short{i.BookID, i.Title, i.Stock, i.Quantity})
		}
	}
	return books
}

// Cart returns the account's cart.
func (s *Service) Cart(ctx context.Context, accountID uuid.UUID) (Cart, error) {
	return s.changeCart(ctx, accountID, func(*pgx.Batch) {})
}

// PutInCart sets how many copies of the book are in the cart. It returns
// ErrNoBook if there is no such book, and ErrCartFull if the cart has no room
// for one more title.
func (s *Service) PutInCart(ctx context.Context, accountID, bookID uuid.UUID, quantity int) (Cart, error) {
	if err := checkQuantity(quantity); err != nil {
		return Cart{}, err
	}
	cart, err := s.changeCart(ctx, accountID, func(b *pgx.Batch) {
		queueTouchCart(b, accountID)
		queuePutItem(b, accountID, bookID, quantity)
	})
	switch {
	case cartFull(err):
		return Cart{}, ErrCartFull
	case postgres.ForeignKeyViolation(err, "cart_items_book"):
		return Cart{}, ErrNoBook
	case err != nil:
		return Cart{}, fmt.Errorf("put book %s into the cart: %w", bookID, err)
	}
	return cart, nil
}

// TakeFromCart removes the book's line, if there is one.
func (s *Service) TakeFromCart(ctx context.Context, accountID, bookID uuid.UUID) (Cart, error) {
	cart, err := s.changeCart(ctx, accountID, func(b *pgx.Batch) {
		queueTouchCart(b, accountID)
		queueDropItem(b, accountID, bookID)
	})
	if err != nil {
		return Cart{}, fmt.Errorf("take book %s out of the cart: %w", bookID, err)
	}
	return cart, nil
}

// changeCart sends the change and reads the cart that results, in one round trip.
func (s *Service) changeCart(ctx context.Context, accountID uuid.UUID, change func(*pgx.Batch)) (Cart, error) {
	var b pgx.Batch
	var cart Cart
	change(&b)
	s.queueReadCart(&b, accountID, &cart)
	if err := postgres.Exec(ctx, s.pool, &b); err != nil {
		return Cart{}, err
	}
	return cart, nil
}

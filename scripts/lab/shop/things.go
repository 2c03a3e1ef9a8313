package shop

import (
	"fmt"
	"time"
)

// What the shop speaks of, as far as anybody in the lab looks at it (docs/api/openapi.yaml has all of it).

// Money is in US cents.
type Money struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

func (m Money) String() string {
	return fmt.Sprintf("%d.%02d %s", m.Amount/100, m.Amount%100, m.Currency)
}

// Book is a book with its stock.
type Book struct {
	ID          string   `json:"id"`
	ISBN        string   `json:"isbn"`
	Title       string   `json:"title"`
	Authors     []string `json:"authors"`
	Subject     string   `json:"subject"`
	PublishedOn string   `json:"published_on"`
	Price       Money    `json:"price"`
	Available   int      `json:"available"`
	Sold        int      `json:"sold"` // in a list of bestsellers
}

// Line is copies of a book in a cart or in an order.
type Line struct {
	BookID    string `json:"book_id"`
	Quantity  int    `json:"quantity"`
	UnitPrice Money  `json:"unit_price,omitzero"`
	LineTotal Money  `json:"line_total,omitzero"` // in a cart
}

// Cart is what somebody wants to buy.
type Cart struct {
	Items []Line `json:"items"`
	Total Money  `json:"total"`
}

// The statuses of an order, up to its dispatch.
const (
	Pending   = "pending"
	Paid      = "paid"
	Cancelled = "cancelled"
)

// Order is what somebody has bought, or tried to.
type Order struct {
	ID           string    `json:"id"`
	Status       string    `json:"status"`
	Items        []Line    `json:"items"`
	Total        Money     `json:"total"`
	CancelReason *string   `json:"cancel_reason"`
	PlacedAt     time.Time `json:"placed_at"`
}

// Payment is what was done about an order's money.
type Payment struct {
	OrderID string `json:"order_id"`
	Status  string `json:"status"`
	Amount  Money  `json:"amount"`
}

// Shipment is an order's parcel.
type Shipment struct {
	ID      string `json:"id"`
	OrderID string `json:"order_id"`
	Status  string `json:"status"`
}

// Notification is a mail that the shop has written.
type Notification struct {
	Subject string `json:"subject"`
	To      string `json:"to"`
}

// List is a page of a list.
type List[T any] struct {
	Items      []T     `json:"items"`
	NextCursor *string `json:"next_cursor"`
}

// The cards of the processor in scripts/outside.
const (
	CardGood     = "tok_visa"
	CardSlow     = "tok_slow"
	CardDeclined = "tok_declined"
)

// address is where everybody lives. Real ones differ, but nothing depends on it.
const address = `{"name":"Banyan Reader","street":"1 Fig Tree Lane","city":"Bayonne","postcode":"64100","country":"FR"}`

// Checkout is the body of a checkout.
func Checkout(card string) []byte {
	return fmt.Appendf(nil, `{"payment":{"token":%q},"shipping_address":%s}`, card, address)
}

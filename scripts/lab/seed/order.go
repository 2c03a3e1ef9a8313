package seed

import (
	"bytes"
	"encoding/base32"
	"iter"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Until is the moment up to which the past orders were placed, over half a year. What people do
// in a running shop comes after them.
var Until = time.Date(2026, time.October, 1, 0, 0, 0, 0, time.UTC)

const (
	orderDays = 183
	packing   = 5 * 24 * time.Hour // an order younger than this was paid and not yet shipped
)

// Order is a past order: nothing about it is pending. Status is "paid", "shipped" or
// "cancelled"; CancelReason is "customer" or "declined" then, and empty otherwise. Total is in US
// cents.
type Order struct {
	ID           uuid.UUID
	AccountID    uuid.UUID
	Status       string
	CancelReason string
	Items        []Item // in order of book id
	Total        int64
	Address      Address
	PlacedAt     time.Time
	Payment      Payment
	Shipment     *Shipment // none if the card was declined
}

// Item is a line of an order. UnitPrice is in US cents.
type Item struct {
	BookID    uuid.UUID
	Title     string
	Quantity  int
	UnitPrice int64
}

// Payment is the charge for the order's total. Status is "captured", "declined" or "refunded".
type Payment struct {
	ID         uuid.UUID
	Status     string
	CreatedAt  time.Time
	RefundedAt time.Time // zero unless refunded
}

// Shipment is the order's parcel. Status is "preparing", "dispatched" or "cancelled";
// TrackingNumber is there once it is dispatched.
type Shipment struct {
	ID             uuid.UUID
	Status         string
	TrackingNumber string
	CreatedAt      time.Time
}

// past is what past orders are made from.
type past struct {
	books     []Book
	popular   []int // the numbers of the books, the most popular first
	customers []Account
	orders    int
}

// all makes the orders, oldest first.
func (p *past) all() iter.Seq[Order] {
	return func(yield func(Order) bool) {
		for i := range p.orders {
			if !yield(p.order(i)) {
				return
			}
		}
	}
}

func (p *past) order(i int) Order {
	const span = orderDays * 24 * time.Hour
	between := span / time.Duration(p.orders)
	random := source("order", i)
	at := Until.Add(-span + time.Duration(i)*between + time.Duration(random.Int64N(int64(between))))
	number := random.IntN(len(p.customers))
	customer := p.customers[number]
	order := Order{
		AccountID: customer.ID,
		Address:   addressOf(number, customer.Name),
		PlacedAt:  at.Truncate(time.Millisecond),
		Items:     makeItems(random, p.books, p.popular),
	}
	order.ID = newID(random, order.PlacedAt)
	for _, item := range order.Items {
		order.Total += int64(item.Quantity) * item.UnitPrice
	}
	order.settle(random)
	return order
}

// makeItems returns 1 to 5 lines of different books, 3 on average, mostly of one copy.
func makeItems(random *rand.Rand, books []Book, popular []int) []Item {
	zipf := rand.NewZipf(random, 1.05, 10, uint64(len(popular)-1))
	items := make([]Item, 0, 5)
	for lines := 1 + random.IntN(5); len(items) < lines; {
		book := books[popular[zipf.Uint64()]]
		if slices.ContainsFunc(items, func(item Item) bool { return item.BookID == book.ID }) {
			continue
		}
		quantity := 1
		if random.IntN(10) == 0 {
			quantity = 2 + random.IntN(3)
		}
		items = append(items, Item{BookID: book.ID, Title: book.Title, Quantity: quantity, UnitPrice: book.Price})
	}
	slices.SortFunc(items, func(a, b Item) int { return bytes.Compare(a.BookID[:], b.BookID[:]) })
	return items
}

// settle decides how the order went: of a hundred, 4 cards were declined and 5 customers changed
// their minds.
func (o *Order) settle(random *rand.Rand) {
	charged := o.PlacedAt.Add(time.Duration(20+random.IntN(200)) * time.Millisecond)
	o.Status = "paid"
	o.Payment = Payment{ID: newID(random, o.PlacedAt), Status: "captured", CreatedAt: o.PlacedAt}
	o.Shipment = &Shipment{ID: newID(random, charged), Status: "preparing", CreatedAt: charged}

	switch chance := random.IntN(100); {
	case chance < 4:
		o.Status, o.CancelReason = "cancelled", "declined"
		o.Payment.Status = "declined"
		o.Shipment = nil
	case chance < 9:
		o.Status, o.CancelReason = "cancelled", "customer"
		o.Payment.Status = "refunded"
		o.Payment.RefundedAt = charged.Add(time.Duration(1+random.IntN(36)) * time.Minute)
		o.Shipment.Status = "cancelled"
	case Until.Sub(o.PlacedAt) > packing:
		o.Status = "shipped"
		o.Shipment.Status = "dispatched"
		o.Shipment.TrackingNumber = trackingNumber(o.Shipment.ID)
	}
}

// sold says whether the order's copies have left the stock.
func (o Order) sold() bool { return o.Status != "cancelled" }

// trackingNumber is derived as the shop does it, from the shipment's id.
func trackingNumber(id uuid.UUID) string {
	return "BN" + base32.StdEncoding.EncodeToString(id[6:16])
}

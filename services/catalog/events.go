package main

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"banyan/internal/events"
	"banyan/internal/money"
)

// What catalog publishes. docs/api/events.yaml describes every event, and
// docs/api/events/ holds an example of each that producers and consumers test.
const (
	bookAdded   = "book.added"
	bookChanged = "book.changed"
)

// bookData is what others keep of a book. The version lets them ignore an event
// that a newer one has overtaken.
type bookData struct {
	BookID  uuid.UUID   `json:"book_id"`
	ISBN    string      `json:"isbn"`
	Title   string      `json:"title"`
	Price   money.Money `json:"price"`
	Version int         `json:"version"`
}

func bookEvent(b Book) bookData { return bookData{b.ID, b.ISBN, b.Title, b.Price, b.Version} }

// Consume gives the consumer its handlers.
func (s *Service) Consume(c *events.Consumer) {
	events.OnBatch(c, s.stockChanged, "stock.changed")
	events.OnBatch(c, s.ordersEnded, "order.paid", "order.cancelled")
}

// stockData declares what catalog reads of stock.changed.
type stockData struct {
	Books []struct {
		BookID    uuid.UUID `json:"book_id"`
		Available int       `json:"available"`
		Version   int64     `json:"version"`
	} `json:"books"`
}

// stockChanged takes over what is newer than what is known.
func (s *Service) stockChanged(_ context.Context, b *pgx.Batch, all []events.Heard[stockData]) error {
	var told availability
	for _, e := range all {
		for _, book := range e.Data.Books {
			told.books = append(told.books, book.BookID)
			told.available = append(told.available, book.Available)
			told.versions = append(told.versions, book.Version)
		}
	}
	queueAvailability(b, told)
	return nil
}

// saleData declares what catalog reads of an order.
type saleData struct {
	OrderID  uuid.UUID `json:"order_id"`
	PlacedAt time.Time `json:"placed_at"`
	Items    []struct {
		BookID   uuid.UUID `json:"book_id"`
		Quantity int       `json:"quantity"`
	} `json:"items"`
}

// ordersEnded remembers what is sold and marks what is cancelled, whichever comes first.
// Both events are about the same rows, so they are handled together.
func (s *Service) ordersEnded(_ context.Context, b *pgx.Batch, all []events.Heard[saleData]) error {
	var orders sales
	var lines saleItems
	for _, e := range all {
		orders.ids = append(orders.ids, e.Data.OrderID)
		orders.placedAt = append(orders.placedAt, e.Data.PlacedAt)
		orders.cancelled = append(orders.cancelled, e.Type == "order.cancelled")
		if e.Type == "order.cancelled" {
			continue // which books it was about does not matter any more
		}
		for _, i := range e.Data.Items {
			lines.orders = append(lines.orders, e.Data.OrderID)
			lines.books = append(lines.books, i.BookID)
			lines.quantities = append(lines.quantities, i.Quantity)
		}
	}
	queueSales(b, orders)
	queueSaleItems(b, lines)
	return nil
}

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
	events.OnQueued(c, "stock.changed", s.stockChanged)
	events.OnQueued(c, "order.paid", s.orderPaid)
	events.OnQueued(c, "order.cancelled", s.orderCancelled)
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
func (s *Service) stockChanged(_ context.Context, b *pgx.Batch, _ events.Event, stock stockData) error {
	for _, book := range stock.Books {
		queueAvailability(b, book.BookID, book.Available, book.Version)
	}
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

// orderPaid remembers the sale, unless its cancellation came first.
func (s *Service) orderPaid(_ context.Context, b *pgx.Batch, _ events.Event, sale saleData) error {
	queueSale(b, sale.OrderID, sale.PlacedAt)
	for _, i := range sale.Items {
		queueSaleItem(b, sale.OrderID, i.BookID, i.Quantity)
	}
	return nil
}

// orderCancelled marks the sale. If it is not known yet, the mark waits for it.
func (s *Service) orderCancelled(_ context.Context, b *pgx.Batch, _ events.Event, sale saleData) error {
	queueCancelSale(b, sale.OrderID, sale.PlacedAt)
	return nil
}

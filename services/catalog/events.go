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
	events.On(c, "stock.changed", s.stockChanged)
	events.On(c, "order.paid", s.orderPaid)
	events.On(c, "order.cancelled", s.orderCancelled)
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
func (s *Service) stockChanged(ctx context.Context, tx pgx.Tx, _ events.Event, stock stockData) error {
	var b pgx.Batch
	for _, book := range stock.Books {
		queueAvailability(&b, book.BookID, book.Available, book.Version)
	}
	return tx.SendBatch(ctx, &b).Close()
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
func (s *Service) orderPaid(ctx context.Context, tx pgx.Tx, _ events.Event, sale saleData) error {
	var b pgx.Batch
	queueSale(&b, sale.OrderID, sale.PlacedAt)
	for _, i := range sale.Items {
		queueSaleItem(&b, sale.OrderID, i.BookID, i.Quantity)
	}
	return tx.SendBatch(ctx, &b).Close()
}

// orderCancelled marks the sale. If it is not known yet, the mark waits for it.
func (s *Service) orderCancelled(ctx context.Context, tx pgx.Tx, _ events.Event, sale saleData) error {
	return cancelSale(ctx, tx, sale.OrderID, sale.PlacedAt)
}

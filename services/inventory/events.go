package main

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"banyan/internal/events"
)

// What inventory publishes: one event per transaction, with every book that
// changed in it.
const stockChanged = "stock.changed"

// stockData is what is left of the books. The versions let others ignore an
// event that a newer one has overtaken.
type stockData struct {
	Books []bookData `json:"books"`
}

type bookData struct {
	BookID    uuid.UUID `json:"book_id"`
	Available int       `json:"available"`
	Version   int64     `json:"version"`
}

func stockEvent(s Stock) stockData {
	return stockData{[]bookData{{s.BookID, s.Available, s.Version}}}
}

// Consume gives the consumer its handlers.
func (s *Service) Consume(c *events.Consumer) {
	events.OnQueued(c, "book.added", s.bookAdded)
	events.OnQueued(c, "order.paid", s.orderPaid)
	events.On(c, "order.cancelled", s.orderCancelled)
}

// newBookData declares what inventory reads of a book.
type newBookData struct {
	BookID uuid.UUID `json:"book_id"`
}

// bookAdded makes room on the shelf.
func (s *Service) bookAdded(_ context.Context, b *pgx.Batch, _ events.Event, book newBookData) error {
	queueInsertStock(b, book.BookID)
	return nil
}

// orderData declares what inventory reads of an order: what it is made of, its
// reservation knows.
type orderData struct {
	OrderID uuid.UUID `json:"order_id"`
}

func (s *Service) orderPaid(_ context.Context, b *pgx.Batch, _ events.Event, order orderData) error {
	queueCommit(b, order.OrderID)
	return nil
}

func (s *Service) orderCancelled(ctx context.Context, tx pgx.Tx, _ events.Event, order orderData) error {
	return release(ctx, tx, order.OrderID)
}

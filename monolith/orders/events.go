package orders

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"banyan/internal/events"
	"banyan/internal/money"
)

// What orders publishes.
const (
	orderPaid      = "order.paid"
	orderCancelled = "order.cancelled"
)

// paidData is what others need to know of a paid order.
type paidData struct {
	OrderID         uuid.UUID   `json:"order_id"`
	AccountID       uuid.UUID   `json:"account_id"`
	Items           []Item      `json:"items"`
	Total           money.Money `json:"total"`
	ShippingAddress Address     `json:"shipping_address"`
	PlacedAt        time.Time   `json:"placed_at"`
}

func paidEvent(o Order) paidData {
	return paidData{o.ID, o.AccountID, o.Items, o.Total, o.ShippingAddress, o.PlacedAt}
}

// cancelledData is what others need to undo an order.
type cancelledData struct {
	OrderID      uuid.UUID   `json:"order_id"`
	AccountID    uuid.UUID   `json:"account_id"`
	Reason       string      `json:"reason"`
	CustomerTold bool        `json:"customer_told"` // in the answer to the checkout
	Items        []Item      `json:"items"`
	Total        money.Money `json:"total"`
	PlacedAt     time.Time   `json:"placed_at"`
}

func cancelledEvent(o Order, customerTold bool) cancelledData {
	return cancelledData{o.ID, o.AccountID, *o.CancelReason, customerTold, o.Items, o.Total, o.PlacedAt}
}

// tell lets the others know what became of the order: by mail while notifications
// is near, and by an event once it is not. customerTold: in the answer to the checkout.
func (s *Service) tell(ctx context.Context, b *pgx.Batch, o Order, customerTold bool) {
	switch mail := s.near.Mail; {
	case mail == nil && o.Status == Paid:
		events.Queue(ctx, b, orderPaid, paidEvent(o))
	case mail == nil:
		events.Queue(ctx, b, orderCancelled, cancelledEvent(o, customerTold))
	case o.Status == Paid:
		mail.QueueReceipt(b, o.ID, o.AccountID, o.Total.Amount)
	case !customerTold:
		mail.QueueCancelled(b, o.ID, o.AccountID, *o.CancelReason)
	}
}

// Consume gives the consumer its handlers, once catalog is far.
func (s *Service) Consume(c *events.Consumer) {
	events.OnBatch(c, s.booksSeen, "book.added", "book.changed")
	if s.far.Shipments != nil {
		events.On(c, "shipment.dispatched", s.shipmentDispatched)
	}
}

// bookData declares what orders keeps of a book.
type bookData struct {
	BookID  uuid.UUID   `json:"book_id"`
	Title   string      `json:"title"`
	Price   money.Money `json:"price"`
	Version int         `json:"version"`
}

// booksSeen takes over what is newer than what is known.
func (s *Service) booksSeen(_ context.Context, b *pgx.Batch, all []events.Heard[bookData]) error {
	var seen seenBooks
	for _, e := range all {
		seen.ids = append(seen.ids, e.Data.BookID)
		seen.titles = append(seen.titles, e.Data.Title)
		seen.prices = append(seen.prices, e.Data.Price)
		seen.versions = append(seen.versions, e.Data.Version)
	}
	queueCopyBooks(b, seen)
	return nil
}

// shipmentData declares what orders reads of a shipment.
type shipmentData struct {
	OrderID uuid.UUID `json:"order_id"`
}

// shipmentDispatched marks the order shipped. One that is not paid here yet will be.
func (s *Service) shipmentDispatched(ctx context.Context, tx pgx.Tx, _ events.Event, shipment shipmentData) error {
	status, err := markShipped(ctx, tx, shipment.OrderID)
	if err != nil {
		return err
	}
	if status == Pending {
		return fmt.Errorf("order %s is shipped before it is paid: %w", shipment.OrderID, ErrPending)
	}
	return nil
}

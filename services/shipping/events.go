package main

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"banyan/internal/events"
)

// What shipping publishes.
const shipmentDispatched = "shipment.dispatched"

// dispatchedData is which parcel left the house.
type dispatchedData struct {
	ShipmentID     uuid.UUID `json:"shipment_id"`
	OrderID        uuid.UUID `json:"order_id"`
	AccountID      uuid.UUID `json:"account_id"`
	TrackingNumber string    `json:"tracking_number"`
}

func shipmentEvent(s Shipment, trackingNumber string) dispatchedData {
	return dispatchedData{s.ID, s.OrderID, s.AccountID, trackingNumber}
}

// Consume gives the consumer its handlers.
func (s *Service) Consume(c *events.Consumer) {
	events.OnQueued(c, "order.paid", s.orderPaid)
	events.OnQueued(c, "order.cancelled", s.orderCancelled)
}

// paidData declares what shipping reads of a paid order. The address it keeps as
// it is, whatever it is made of.
type paidData struct {
	OrderID         uuid.UUID       `json:"order_id"`
	AccountID       uuid.UUID       `json:"account_id"`
	ShippingAddress json.RawMessage `json:"shipping_address"`
}

func (s *Service) orderPaid(_ context.Context, b *pgx.Batch, _ events.Event, order paidData) error {
	queuePrepare(b, order.OrderID, order.AccountID, order.ShippingAddress)
	return nil
}

// cancelledData declares what shipping reads of a cancelled order.
type cancelledData struct {
	OrderID   uuid.UUID `json:"order_id"`
	AccountID uuid.UUID `json:"account_id"`
	Reason    string    `json:"reason"`
}

// orderCancelled makes sure that the parcel of an order that was paid stays in
// the house. Orders has asked before it cancelled, so it has not left; and what
// was cancelled for another reason was never paid, and has no parcel.
func (s *Service) orderCancelled(_ context.Context, b *pgx.Batch, _ events.Event, order cancelledData) error {
	if order.Reason == "customer" {
		b.Queue(cancelShipmentQuery, uuid.Must(uuid.NewV7()), order.OrderID, order.AccountID)
	}
	return nil
}

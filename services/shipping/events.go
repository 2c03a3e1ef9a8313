package main

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"

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
	events.OnBatch(c, s.ordersEnded, "order.paid", "order.cancelled")
}

// orderData declares what shipping reads of an order that was paid or cancelled.
type orderData struct {
	OrderID         uuid.UUID       `json:"order_id"`
	AccountID       uuid.UUID       `json:"account_id"`
	ShippingAddress json.RawMessage `json:"shipping_address"` // of a paid one; kept as it is, whatever it is made of
	Reason          string          `json:"reason"`           // of a cancelled one
}

// ordersEnded makes the parcels of the orders that are paid, and makes sure that the
// parcel of one that was paid and is cancelled stays in the house. Orders has asked
// before it cancelled, so it has not left; and what was cancelled for another reason was
// never paid, and has no parcel. Both events may be about one order, in two instances, so
// the shipments are locked in order of the orders.
func (s *Service) ordersEnded(_ context.Context, b *pgx.Batch, all []events.Heard[orderData]) error {
	slices.SortFunc(all, func(a, b events.Heard[orderData]) int {
		return bytes.Compare(a.Data.OrderID[:], b.Data.OrderID[:])
	})
	for _, e := range all {
		order := e.Data
		switch {
		case e.Type == "order.paid":
			queuePrepare(b, order.OrderID, order.AccountID, order.ShippingAddress)
		case order.Reason == "customer":
			b.Queue(cancelShipmentQuery, uuid.Must(uuid.NewV7()), order.OrderID, order.AccountID)
		}
	}
	return nil
}

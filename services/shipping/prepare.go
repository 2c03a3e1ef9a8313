package main

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// queuePrepare makes the shipment of an order that is paid, unless the order has
// one: the event may come again, or after the cancellation.
func queuePrepare(b *pgx.Batch, orderID, accountID uuid.UUID, address []byte) {
	queueInsertShipment(b, uuid.Must(uuid.NewV7()), orderID, accountID, address)
}

// Cancel keeps the order's parcel in the house, now and should it be asked for
// later. It returns ErrDispatched if it has left.
func (s *Service) Cancel(ctx context.Context, orderID, accountID uuid.UUID) error {
	status, err := cancelShipment(ctx, s.pool, uuid.Must(uuid.NewV7()), orderID, accountID)
	if err == nil && status == Dispatched {
		return ErrDispatched
	}
	return err
}

package shipping

import (
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// QueuePrepare makes the shipment of an order that is being paid.
func (s *Service) QueuePrepare(b *pgx.Batch, orderID, accountID uuid.UUID, address []byte) {
	queueInsertShipment(b, uuid.Must(uuid.NewV7()), orderID, accountID, address)
}

// QueueCancel keeps the order's parcel in the house. The batch fails, and
// Dispatched reports it, if it has left.
func (s *Service) QueueCancel(b *pgx.Batch, orderID uuid.UUID) {
	queueCancel(b, orderID)
}

// Dispatched reports whether a batch failed because the parcel had left.
func (s *Service) Dispatched(err error) bool { return refused(err) }

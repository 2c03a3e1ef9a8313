package shipping

import (
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Orders is told what left the house.
type Orders interface {
	// QueueShipped fails the batch, and Refused reports it, unless the order is paid.
	QueueShipped(b *pgx.Batch, orderID, accountID uuid.UUID)
	Refused(err error) bool
}

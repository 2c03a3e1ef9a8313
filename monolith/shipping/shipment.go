package shipping

import (
	"context"
	"encoding/base32"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"banyan/internal/events"
	"banyan/internal/fault"
	"banyan/internal/postgres"
)

// The states of a shipment:
//
//	preparing → dispatched
//	    ↓
//	cancelled
const (
	Preparing  = "preparing"
	Dispatched = "dispatched"
	Cancelled  = "cancelled"
)

// Errors of shipping.
var (
	ErrNotFound  = fault.New(fault.NotFound, "no-such-shipment", "There is no such shipment.")
	ErrBusy      = fault.New(fault.Unavailable, "busy", "Too much is changing at once. Please try again.").After(time.Second)
	ErrCancelled = fault.New(fault.Conflict, "shipment-cancelled", "The shipment was cancelled and must not leave.")
)

// Shipment is the parcel of one order.
type Shipment struct {
	ID             uuid.UUID `json:"id"`
	OrderID        uuid.UUID `json:"order_id"`
	AccountID      uuid.UUID `json:"-"`
	Status         string    `json:"status"`
	TrackingNumber *string   `json:"tracking_number"`
}

// trackingNumber is derived from the shipment's id, so that repeating a
// dispatch cannot make another.
func trackingNumber(id uuid.UUID) string {
	return "BN" + base32.StdEncoding.EncodeToString(id[6:16])
}

// Service is the shipping module.
type Service struct {
	pool   *pgxpool.Pool
	wake   func() // after a commit that has something to publish; nil: nobody has to be told
	orders Orders
}

// New returns the shipments that the pool's database holds. wake is called after
// each commit that has something to publish; nil while notifications is near.
func New(pool *pgxpool.Pool, wake func(), orders Orders) *Service {
	return &Service{pool, wake, orders}
}

// Shipments returns the account's shipments, newest first: one more than limit,
// if there is one. An order's id that is not nil narrows them to that order.
func (s *Service) Shipments(ctx context.Context, accountID, orderID uuid.UUID, limit int, before uuid.UUID) ([]Shipment, error) {
	return selectShipments(ctx, s.pool, accountID, orderID, limit+1, before)
}

// Dispatch sends the parcel off and returns it; one that has left is returned as
// it is. It returns ErrCancelled or ErrNotFound if it must not leave.
func (s *Service) Dispatch(ctx context.Context, id uuid.UUID) (Shipment, error) {
	sh, err := selectShipment(ctx, s.pool, id)
	if err != nil {
		return Shipment{}, err
	}
	number := trackingNumber(id)
	var b pgx.Batch
	s.orders.QueueShipped(&b, sh.OrderID, sh.AccountID) // first, as a cancellation does: no deadlock
	queueDispatch(&b, id, number)
	if s.wake != nil {
		events.Queue(ctx, &b, shipmentDispatched, shipmentEvent(sh, number))
	}
	err = postgres.Exec(ctx, s.pool, &b)
	if err == nil && s.wake != nil {
		s.wake()
	}
	if err != nil && !s.orders.Refused(err) && !refused(err) && !postgres.Retryable(err) {
		return Shipment{}, fmt.Errorf("dispatch shipment %s: %w", id, err)
	}
	sh, err = selectShipment(ctx, s.pool, id)
	switch {
	case err != nil:
		return Shipment{}, err
	case sh.Status == Cancelled:
		return Shipment{}, ErrCancelled
	case sh.Status == Preparing:
		return Shipment{}, ErrBusy
	}
	return sh, nil
}

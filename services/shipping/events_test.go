package main

import (
	"context"
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"banyan/docs/api"
	"banyan/internal/events"
	"banyan/internal/postgres"
)

func TestTelling(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	o := s.paid()
	s.dispatches(o)
	s.dispatches(o)

	require.Equal(t, 1, s.count(`select count(*) from outbox`))
	var text json.RawMessage
	require.NoError(t, s.pool.QueryRow(t.Context(), `select data from outbox where type = $1`, shipmentDispatched).Scan(&text))
	require.Equal(t, shape(t, api.Event(shipmentDispatched)), shape(t, text), "it is as its example")
	var data dispatchedData
	require.NoError(t, json.Unmarshal(text, &data))
	sent := s.shipment(o)
	require.Equal(t, dispatchedData{sent.ID, o.id, o.accountID, *sent.TrackingNumber}, data)
}

func TestHearing(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	paid, cancelled := example[orderData](t, "order.paid"), example[orderData](t, "order.cancelled")
	o := order{paid.OrderID, paid.AccountID}
	s.hears(orderPaid, paid)
	require.Equal(t, Preparing, s.shipment(o).Status)
	require.Equal(t, 1, s.count(`select count(*) from shipments where address->>'city' = 'London'`))
	s.hears(orderCancelled, cancelled)
	require.Equal(t, Cancelled, s.shipment(o).Status)
}

// Two instances hear of the same orders, one that they are paid and the other that they
// are cancelled, in opposite orders. Neither may die of a deadlock.
func TestInstances(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	var group errgroup.Group
	for range 20 {
		there := make([]events.Heard[orderData], 30)
		for i := range there {
			there[i].Type = orderPaid
			there[i].Data = orderData{OrderID: uuid.New(), AccountID: uuid.New(), ShippingAddress: []byte(address), Reason: "customer"}
		}
		back := slices.Clone(there)
		slices.Reverse(back)
		for i := range back {
			back[i].Type = orderCancelled
		}
		for _, all := range [][]events.Heard[orderData]{there, back} {
			group.Go(func() error {
				var b pgx.Batch
				if err := s.ordersEnded(context.Background(), &b, all); err != nil {
					return err
				}
				return postgres.Exec(context.Background(), s.pool, &b)
			})
		}
		require.NoError(t, group.Wait())
	}
	require.Equal(t, 600, s.count(`select count(*) from shipments where status = 'cancelled'`))
}

func TestOtherSchemas(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	var refused *pgconn.PgError
	_, err := s.pool.Exec(t.Context(), `select from catalog.books`)
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "42501", refused.Code, "insufficient_privilege")
}

// example reads what this service declares of an event from the example of it.
func example[T any](t *testing.T, typ string) (data T) {
	t.Helper()
	require.NoError(t, json.Unmarshal(api.Event(typ), &data))
	return data
}

// shape is what a JSON text is made of: its keys, and the types of their values.
// The first of a list stands for the others.
func shape(t *testing.T, text []byte) any {
	t.Helper()
	var v any
	require.NoError(t, json.Unmarshal(text, &v), string(text))
	return shapeOf(v)
}

func shapeOf(v any) any {
	switch v := v.(type) {
	case map[string]any:
		keys := map[string]any{}
		for key, value := range v {
			keys[key] = shapeOf(value)
		}
		return keys
	case []any:
		if len(v) == 0 {
			return "an empty list"
		}
		return []any{shapeOf(v[0])}
	case string:
		return "text"
	case float64:
		return "a number"
	case bool:
		return "true or false"
	}
	return "null"
}

package main

import (
	"encoding/json"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"banyan/docs/api"
)

func TestTelling(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	o := s.newOrder("tok_visa")
	s.pays(o)
	s.pays(s.newOrder("tok_declined"))
	s.cancels(o)
	require.NoError(t, s.refundDue(t.Context()))

	require.Equal(t, 2, s.count(`select count(*) from outbox`), "a decline is told to nobody")
	id := s.listed(o.accountID, "").Items[0].ID
	for _, typ := range []string{paymentCaptured, paymentRefunded} {
		var text json.RawMessage
		require.NoError(t, s.pool.QueryRow(t.Context(), `select data from outbox where type = $1`, typ).Scan(&text))
		require.Equal(t, shape(t, api.Event(typ)), shape(t, text), "it is as its example")
		var data paymentData
		require.NoError(t, json.Unmarshal(text, &data))
		require.Equal(t, paymentEvent(Payment{ID: id, OrderID: o.id, AccountID: o.accountID, Amount: data.Amount}), data)
		require.Equal(t, o.cents, data.Amount.Amount)
	}
}

func TestHearing(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	cancelled := example[orderData](t, "order.cancelled")
	cancelled.OrderID = placed(0) // the order of the example is too old to begin
	o := order{cancelled.OrderID, cancelled.AccountID, cancelled.Total.Amount, "tok_visa"}
	s.pays(o)
	for range 2 {
		s.hears(cancelled)
		require.NoError(t, s.refundDue(t.Context()))
		require.Equal(t, Refunded, s.status(o))
		_, given := s.bank.ledger(o.id)
		require.Equal(t, 1, given, "the money is back, once")
	}
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

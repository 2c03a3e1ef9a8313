package shipping

import (
	"encoding/json"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/docs/api"
	"banyan/internal/testdb"
	"banyan/internal/web"
	"banyan/migrations"
	"banyan/scripts/lab/ladder"
)

// farShop is the module once notifications is far, and has to be told.
type farShop struct {
	shop
	woken *int // how often the relay was
}

func newFarShop(t *testing.T) farShop {
	t.Helper()
	db := testdb.New(t, migrations.FS)
	require.NoError(t, ladder.Climb(t.Context(), db.SuperuserURL(), 2, func(string) {}))
	pool, woken := db.Pool("monolith_app"), 0
	s := New(pool, func() { woken++ }, shippedOrders{})
	e := web.New(web.Options{Log: slog.New(slog.DiscardHandler)})
	Register(e.Group(""), s, web.SignedIn(known))
	return farShop{shop{s, t, pool, e}, &woken}
}

func TestTelling(t *testing.T) {
	t.Parallel()
	s := newFarShop(t)
	o := s.paid()
	require.Equal(t, 200, s.dispatches(o).Code)
	require.Equal(t, 200, s.dispatches(o).Code)

	require.Equal(t, 1, s.count(`select count(*) from outbox`))
	require.Equal(t, 1, *s.woken)
	var text json.RawMessage
	require.NoError(t, s.pool.QueryRow(t.Context(), `select data from outbox where type = $1`, shipmentDispatched).Scan(&text))
	require.Equal(t, shape(t, api.Event(shipmentDispatched)), shape(t, text), "it is as its example")
	var data dispatchedData
	require.NoError(t, json.Unmarshal(text, &data))
	sent := s.shipment(o)
	require.Equal(t, dispatchedData{sent.ID, o.id, o.accountID, *sent.TrackingNumber}, data)
}

func TestTellingNothing(t *testing.T) {
	t.Parallel()

	t.Run("of a parcel that must not leave", func(t *testing.T) {
		t.Parallel()
		s := newFarShop(t)
		o := s.paid()
		require.NoError(t, s.cancels(o))
		require.Equal(t, 409, s.dispatches(o).Code)
		require.Zero(t, s.count(`select count(*) from outbox`))
	})
	t.Run("while notifications is near", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		require.Equal(t, 200, s.dispatches(s.paid()).Code)
		require.Zero(t, s.count(`select count(*) from outbox`))
	})
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

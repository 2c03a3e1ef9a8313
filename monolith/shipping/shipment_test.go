package shipping

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func TestShipments(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	first := s.paid()
	second := s.place(order{uuid.Must(uuid.NewV7()), first.accountID})
	s.pays(second)

	t.Run("are listed newest first, page by page", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		page := s.listed(first.accountID, "limit=1")
		require.Equal(t, second.id, page.Items[0].OrderID)
		require.NotNil(t, page.NextCursor)
		page = s.listed(first.accountID, "limit=1&cursor="+*page.NextCursor)
		require.Equal(t, first.id, page.Items[0].OrderID)
		require.Nil(t, page.NextCursor)
	})
	t.Run("are shown with what the customer may know", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		res := s.ask("GET", "/v1/shipments?order_id="+first.id.String(), first.accountID.String(), "")
		require.JSONEq(t, fmt.Sprintf(`{"next_cursor":null,"items":[
			{"id":%q,"order_id":%q,"status":"preparing","tracking_number":null}]}`, s.shipment(first).ID, first.id), res.Body.String())
	})
	t.Run("go where the order said", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		var kept json.RawMessage
		require.NoError(t, s.pool.QueryRow(t.Context(), `select address from shipments where order_id = $1`, first.id).Scan(&kept))
		require.JSONEq(t, address, string(kept))
	})
	t.Run("are nobody else's business", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		require.Empty(t, s.listed(uuid.New(), "").Items)
		require.Empty(t, s.listed(uuid.New(), "order_id="+first.id.String()).Items)
		require.Equal(t, 401, s.ask("GET", "/v1/shipments", "", "").Code)
	})
	for query, status := range map[string]int{"limit=0": 422, "limit=x": 400, "order_id=x": 400, "cursor=x": 400} {
		t.Run("with "+query+" are refused", func(t *testing.T) {
			t.Parallel()
			s := s.in(t)
			require.Equal(t, status, s.ask("GET", "/v1/shipments?"+query, first.accountID.String(), "").Code)
		})
	}
}

func TestDispatching(t *testing.T) {
	t.Parallel()
	s := newShop(t)

	t.Run("sends the parcel off, and tells orders", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		o := s.paid()
		res := s.dispatches(o)
		require.Equal(t, 200, res.Code, res.Body)
		sent := s.shipment(o)
		require.Equal(t, Dispatched, sent.Status)
		require.Regexp(t, `^BN[A-Z2-7]{16}$`, *sent.TrackingNumber)
		require.JSONEq(t, fmt.Sprintf(`{"id":%q,"order_id":%q,"status":"dispatched","tracking_number":%q}`,
			sent.ID, o.id, *sent.TrackingNumber), res.Body.String())
		require.Equal(t, 1, s.told(o))
	})
	t.Run("again gets the same answer", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		o := s.paid()
		require.Equal(t, s.dispatches(o).Body.String(), s.dispatches(o).Body.String())
		require.Equal(t, 1, s.told(o))
	})
	t.Run("is for staff", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		o := s.paid()
		path := "/v1/shipments/" + s.shipment(o).ID.String() + "/dispatch"
		require.Equal(t, 403, s.ask("POST", path, o.accountID.String(), "").Code)
		require.Equal(t, 401, s.ask("POST", path, "", "").Code)
		require.Equal(t, Preparing, s.shipment(o).Status)
	})
	t.Run("needs a shipment", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		require.Equal(t, 404, s.ask("POST", "/v1/shipments/"+uuid.NewString()+"/dispatch", "staff", "").Code)
		require.Equal(t, 400, s.ask("POST", "/v1/shipments/7/dispatch", "staff", "").Code)
	})
	t.Run("of what is cancelled is refused", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		o := s.paid()
		require.NoError(t, s.cancels(o))
		res := s.dispatches(o)
		require.Equal(t, 409, res.Code)
		require.Contains(t, res.Body.String(), "urn:banyan:problem:shipment-cancelled")
		require.Equal(t, Cancelled, s.shipment(o).Status)
		require.Zero(t, s.told(o))
	})
	t.Run("and cancelling at once lets one of them win", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		for range 20 {
			o := s.paid()
			var dispatched int
			var cancelled error
			var wg sync.WaitGroup
			wg.Go(func() { dispatched = s.dispatches(o).Code })
			wg.Go(func() { cancelled = s.cancels(o) })
			wg.Wait()
			require.Equal(t, dispatched == 200, s.shipped(cancelled), cancelled)
			require.Equal(t, dispatched == 409, cancelled == nil, dispatched)
			require.Equal(t, dispatched == 200, s.told(o) == 1)
		}
	})
}

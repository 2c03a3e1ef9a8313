package main

import (
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func TestCancelling(t *testing.T) {
	t.Parallel()
	s := newShop(t)

	t.Run("keeps the parcel in the house", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		o := s.paid()
		require.NoError(t, s.cancels(o))
		require.Equal(t, Cancelled, s.shipment(o).Status)
	})
	t.Run("what has left is refused", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		o := s.paid()
		s.dispatches(o)
		require.True(t, s.shipped(s.cancels(o)))
		require.Equal(t, Dispatched, s.shipment(o).Status)
	})
	t.Run("again gets the same answer", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		o, gone := s.paid(), s.paid()
		s.dispatches(gone)
		for range 2 {
			res := s.cancel("orders", o)
			require.Equal(t, 200, res.Code)
			require.JSONEq(t, fmt.Sprintf(`{"order_id":%q,"status":"cancelled"}`, o.id), res.Body.String())
			res = s.cancel("orders", gone)
			require.Equal(t, 409, res.Code)
			require.Contains(t, res.Body.String(), "urn:banyan:problem:order-shipped")
		}
	})
	t.Run("before shipping has heard of the order stops the parcel that would be made", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		o := s.newOrder()
		require.NoError(t, s.cancels(o))
		s.pays(o)
		require.Equal(t, Cancelled, s.shipment(o).Status)
		require.Equal(t, 409, s.dispatches(o).Code)
	})
	t.Run("is for orders alone", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		o := s.paid()
		for _, caller := range []string{"gateway", "stranger", "staff", o.accountID.String(), ""} {
			require.Equal(t, 403, s.cancel(caller, o).Code, caller)
		}
		require.Equal(t, Preparing, s.shipment(o).Status)
	})
	t.Run("needs the order and its account", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		require.Equal(t, 422, s.call("orders", uuid.NewString(), `{}`).Code)
		require.Equal(t, 400, s.call("orders", uuid.NewString(), `{"account_id":1}`).Code)
		require.Equal(t, 400, s.call("orders", "7", `{}`).Code)
	})
}

func TestPreparing(t *testing.T) {
	t.Parallel()
	s := newShop(t)

	t.Run("makes one shipment, however often the payment is told", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		o := s.paid()
		first := s.shipment(o)
		s.pays(o)
		require.Equal(t, first, s.shipment(o))
		s.dispatches(o)
		s.pays(o)
		require.Equal(t, Dispatched, s.shipment(o).Status)
	})
	t.Run("stops at a customer's cancellation, whichever is told first", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		early, late := s.newOrder(), s.paid()
		for range 2 {
			s.cancelled(early, "customer")
			s.pays(early)
			s.cancelled(late, "customer")
			require.Equal(t, Cancelled, s.shipment(early).Status)
			require.Equal(t, Cancelled, s.shipment(late).Status)
		}
	})
	t.Run("knows nothing of orders that were never paid", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		for _, reason := range []string{"declined", "sold_out", "refused"} {
			o := s.newOrder()
			s.cancelled(o, reason)
			require.Empty(t, s.listed(o.accountID, "").Items)
		}
	})
	t.Run("does not call back what has left", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		o := s.paid()
		s.dispatches(o)
		s.cancelled(o, "customer")
		require.Equal(t, Dispatched, s.shipment(o).Status)
	})
}

package main

import (
	"context"
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"banyan/internal/fault"
)

// bought is an order that is paid.
func (c customer) bought(quantity int, b book) uuid.UUID {
	c.t.Helper()
	c.puts(quantity, b)
	return c.pays("tok_visa", newKey()).is(201).order().ID
}

func TestCancel(t *testing.T) {
	t.Parallel()

	t.Run("undoes a paid order, and says so again", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, b := s.customer(), s.book("Emma", 1000, 5)
		id := ada.bought(2, b)
		first := ada.cancels(id).is(200)
		require.Equal(t, ada.became(id, Cancelled, Customer), first.order())
		require.Equal(t, 5, s.copies(b))
		require.Equal(t, "refunded", s.payment(id))
		require.Equal(t, "cancelled", s.parcel(id))
		require.Equal(t, []string{"order_paid", "order_cancelled"}, s.mails(id))

		ada.cancels(id).is(200).same(first)
		require.Equal(t, 5, s.copies(b))
		require.Len(t, s.mails(id), 2)
		require.Empty(t, ada.cart().Items, "the cart does not come back")
	})

	t.Run("says of a declined order that it is cancelled", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, b := s.customer(), s.book("Emma", 1000, 5)
		ada.puts(2, b)
		id := ada.pays("tok_declined", newKey()).refused(402, "declined").OrderID
		ada.cancels(id).is(200)
		ada.became(id, Cancelled, Declined)
		require.Equal(t, 5, s.copies(b))
	})

	t.Run("does not wait for an order that is pending", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, b := s.customer(), s.book("Emma", 1000, 5)
		ada.puts(2, b)
		s.cashier.goes(losesAnswers)
		id := ada.pays("tok_visa", newKey()).is(202).order().ID
		r := ada.cancels(id)
		r.refused(409, "order-pending")
		require.Equal(t, "1", r.header.Get("Retry-After"))
	})

	t.Run("comes too late for a parcel that has left", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, b := s.customer(), s.book("Emma", 1000, 5)
		id := ada.bought(2, b)
		s.ships(id)
		ada.cancels(id).refused(409, "order-shipped")
		ada.became(id, Shipped, "")
		require.Equal(t, 3, s.copies(b))
		require.Equal(t, "captured", s.payment(id))
	})

	t.Run("is for orders that there are", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada := s.customer()
		ada.cancels(uuid.New()).refused(404, "no-such-order")
		ada.asks("POST", "/v1/orders/1/cancel", "").refused(400, "malformed")
	})

	t.Run("many times at once cancels once", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, b := s.customer(), s.book("Emma", 1000, 5)
		id := ada.bought(2, b)
		for _, r := range atOnce(10, func(int) reply { return ada.cancels(id) }) {
			require.Equal(t, Cancelled, r.is(200).order().Status)
		}
		require.Equal(t, 5, s.copies(b))
		require.Equal(t, []string{"order_paid", "order_cancelled"}, s.mails(id))
	})

	// From here on, shipping is another process.

	t.Run("lets shipping decide, which may know more", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, b := s.customer(), s.book("Emma", 1000, 5)
		id := ada.bought(2, b)
		s.listen()
		require.True(t, s.depot.dispatch(id))
		ada.cancels(id).refused(409, "order-shipped")
		ada.became(id, Paid, "") // until the event comes
		require.Zero(t, s.count(`select count(*) from orders where cancel_requested_at is not null`), "the wish is forgotten")
		s.sweeps()
		ada.became(id, Paid, "")
		require.Equal(t, "captured", s.payment(id))
	})

	for name, trouble := range map[string]*fault.Error{
		"cannot be reached":      errLost,
		"does not know us":       fault.New(fault.Unauthenticated, "", "Who are you?"),
		"does not admit us":      fault.New(fault.Forbidden, "", "Not you."),
		"has no such address":    fault.New(fault.NotFound, "", "There is nothing at this address."),
		"finds itself at a loss": fault.New(fault.Internal, "", "Something went wrong on our side."),
	} {
		t.Run("is 503 if shipping "+name+", and the sweeper carries it out", func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			ada, b := s.customer(), s.book("Emma", 1000, 5)
			id := ada.bought(2, b)
			s.depot.goes(func(context.Context, func() error) error { return trouble })
			r := ada.cancels(id)
			r.refused(http.StatusServiceUnavailable, "shipping-away")
			require.NotEmpty(t, r.header.Get("Retry-After"))
			ada.became(id, Paid, "")
			s.sweeps()
			ada.became(id, Paid, "")
			s.depot.goes(nil)
			s.sweeps()
			ada.became(id, Cancelled, Customer)
			require.Equal(t, 5, s.copies(b))
			require.Equal(t, "refunded", s.payment(id))
			require.Equal(t, []string{"order_paid", "order_cancelled"}, s.mails(id))
		})
	}

	t.Run("whose answer was lost is carried out by the sweeper", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, b := s.customer(), s.book("Emma", 1000, 5)
		id := ada.bought(2, b)
		s.depot.goes(crashes)
		ada.cancels(id).is(500)
		require.Equal(t, "cancelled", s.parcel(id), "this parcel will never leave")
		s.depot.goes(nil)
		s.sweeps()
		ada.became(id, Cancelled, Customer)
		require.Equal(t, "refunded", s.payment(id))
	})

	t.Run("that the sweeper finds too late is forgotten", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, b := s.customer(), s.book("Emma", 1000, 5)
		id := ada.bought(2, b)
		s.listen()
		s.depot.goes(losesRequests)
		ada.cancels(id).is(503)
		s.depot.goes(nil)
		require.True(t, s.depot.dispatch(id))
		s.sweeps()
		ada.became(id, Paid, "")
		require.Zero(t, s.count(`select count(*) from orders where cancel_requested_at is not null`))
	})
}

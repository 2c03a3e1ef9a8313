package orders

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
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
}

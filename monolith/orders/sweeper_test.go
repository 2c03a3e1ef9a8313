package orders

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSweeper(t *testing.T) {
	t.Parallel()

	t.Run("leaves alone what a request is working on", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, b := s.customer(), s.book("Emma", 1000, 5)
		ada.puts(1, b)
		s.cashier.goes(meanwhile(func() {
			require.NoError(t, s.sweep(t.Context(), quiet))
			require.Equal(t, Pending, ada.orders()[0].Status)
		}))
		ada.pays("tok_visa", newKey()).is(201)
	})

	t.Run("finishes what a crash left", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, b := s.customer(), s.book("Emma", 1000, 5)
		ada.puts(2, b)
		s.cashier.goes(crashes)
		ada.pays("tok_visa", newKey()).is(500)
		s.cashier.goes(nil)
		s.sweeps()
		id := ada.orders()[0].ID
		ada.became(id, Paid, "")
		require.Equal(t, 3, s.copies(b))
		require.Equal(t, "captured", s.payment(id))
		require.Equal(t, "preparing", s.parcel(id))
		require.Equal(t, []string{"order_paid"}, s.mails(id))
		require.Empty(t, ada.cart().Items)
	})

	t.Run("and the request may both be at it, and one of them wins", func(t *testing.T) {
		t.Parallel()
		for card, status := range map[string]int{"tok_visa": 201, "tok_declined": 402} {
			s := newShop(t)
			ada, b, key := s.customer(), s.book("Emma", 1000, 5), newKey()
			ada.puts(2, b)
			s.cashier.goes(meanwhile(s.sweeps))
			first := ada.pays(card, key).is(status)
			first.same(ada.pays(card, key))
			id := ada.orders()[0].ID
			if card == "tok_visa" {
				ada.became(id, Paid, "")
				require.Equal(t, 3, s.copies(b))
				require.Equal(t, []string{"order_paid"}, s.mails(id))
			} else {
				ada.became(id, Cancelled, Declined)
				require.Equal(t, 5, s.copies(b))
			}
		}
	})

	t.Run("of two instances, each does a thing once", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		b := s.book("Emma", 1000, 50)
		s.cashier.goes(losesAnswers)
		var all []customer
		for n := range 12 {
			c := s.customer()
			c.puts(1, b)
			c.pays([]string{"tok_visa", "tok_declined"}[n%2], newKey()).is(202)
			all = append(all, c)
		}
		s.cashier.goes(nil)
		s.lapse()
		atOnce(4, func(int) error { return s.sweep(t.Context(), quiet) })
		for n, c := range all {
			id := c.orders()[0].ID
			if n%2 == 0 {
				c.became(id, Paid, "")
				require.Equal(t, []string{"order_paid"}, s.mails(id))
			} else {
				c.became(id, Cancelled, Declined)
				require.Equal(t, []string{"order_cancelled"}, s.mails(id))
			}
		}
		require.Equal(t, 44, s.copies(b))
	})

	t.Run("is not kept from the others by an order that cannot be finished", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, ben, b := s.customer(), s.customer(), s.book("Emma", 1000, 5)
		ada.puts(1, b)
		ben.puts(1, b)
		s.cashier.goes(losesRequests)
		stuck := ada.pays("tok_visa", newKey()).is(202).order().ID
		fine := ben.pays("tok_visa", newKey()).is(202).order().ID
		seen := 0
		s.cashier.goes(func(_ context.Context, deliver func() error) error {
			s.cashier.mu.Lock()
			seen++
			first := seen == 1
			s.cashier.mu.Unlock()
			if first {
				return errLost
			}
			return deliver()
		})
		s.sweeps()
		require.Equal(t, 2, seen)
		require.Equal(t, 1, s.count(`select count(*) from orders where status = 'pending'`))
		s.sweeps()
		ada.became(stuck, Paid, "")
		ben.became(fine, Paid, "")
	})

	t.Run("runs until it is told to stop", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, b := s.customer(), s.book("Emma", 1000, 5)
		ada.puts(1, b)
		s.cashier.goes(losesAnswers)
		id := ada.pays("tok_visa", newKey()).is(202).order().ID
		s.cashier.goes(nil)
		s.lapse()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- s.Run(ctx, quiet) }()
		s.soon(func() bool { return ada.order(id).Status == Paid })
		stop()
		require.NoError(t, <-ended)
	})
}

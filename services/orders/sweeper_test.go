package main

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

	// From here on, stock is another process's.

	t.Run("cancels an order that turns out to be sold out, and says so by mail", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, b, key := s.customer(), s.book("Emma", 1000, 5), newKey()
		ada.puts(2, b)
		s.shelf.goes(losesRequests)
		first := ada.pays("tok_visa", key).is(202)
		s.shelf.goes(nil)
		s.shelf.arrive(b.id, -4)
		s.sweeps()
		id := first.order().ID
		ada.became(id, Cancelled, SoldOut)
		require.Equal(t, []string{"order_cancelled"}, s.mails(id))
		require.Equal(t, 1, s.copies(b))
		require.Equal(t, "refused", s.payment(id), "nobody was charged, and nobody will be")
		require.Len(t, ada.cart().Items, 1)
		first.same(ada.pays("tok_visa", key))
	})

	t.Run("does not cancel, nor tell of, an order that was deleted", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, b := s.customer(), s.book("Emma", 1000, 1)
		ada.puts(2, b)
		// The sweeper has heard that it is sold out, and the request is quicker.
		swept := make(chan struct{})
		asked := make(chan struct{})
		answered := make(chan struct{})
		calls := 0
		s.shelf.goes(func(_ context.Context, deliver func() error) error {
			err := deliver()
			s.shelf.mu.Lock()
			calls++
			request := calls == 1
			s.shelf.mu.Unlock()
			if request {
				go func() {
					defer close(swept)
					s.sweeps()
				}()
				<-asked
				return err
			}
			close(asked)
			<-answered
			return err
		})
		ada.pays("tok_visa", newKey()).refused(409, "sold-out")
		close(answered)
		<-swept
		require.Empty(t, ada.orders())
		require.Empty(t, s.outbox())
	})

	t.Run("keeps an order of which its customer was told 202 while the request slept", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, b, key := s.customer(), s.book("Emma", 1000, 1), newKey()
		ada.puts(2, b)
		var told reply
		s.shelf.goes(meanwhile(func() {
			s.leasesEnd()
			told = ada.pays("tok_visa", key).is(202)
		}))
		told.same(ada.pays("tok_visa", key))
		s.sweeps()
		id := told.order().ID
		ada.became(id, Cancelled, SoldOut)
		require.Equal(t, []string{"order_cancelled"}, s.mails(id))
		told.same(ada.pays("tok_visa", key))
	})

	t.Run("survives neighbours that hear everything twice", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, b := s.customer(), s.book("Emma", 1000, 5)
		s.shelf.goes(sendsTwice)
		s.cashier.goes(sendsTwice)
		s.depot.goes(sendsTwice)
		id := ada.bought(2, b)
		require.Equal(t, 3, s.copies(b))
		ada.cancels(id).is(200)
		require.Equal(t, 5, s.copies(b))
		require.Equal(t, "refunded", s.payment(id))
	})
}

// A planner that has no better way runs a subquery again for each row of the
// outer query. A claim must not grow with it.
func TestClaiming(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	b := s.book("Emma", 1000, 50)
	s.cashier.goes(crashes)
	for range 12 {
		ada := s.customer()
		ada.puts(1, b)
		ada.pays("tok_visa", newKey())
	}
	s.lapse()
	tx, err := s.pool.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(context.Background()) }()
	for _, way := range []string{"hashagg", "hashjoin", "mergejoin", "sort", "material"} {
		_, err := tx.Exec(t.Context(), `set local enable_`+way+` = off`)
		require.NoError(t, err)
	}
	claimed, err := claimUnsettled(t.Context(), tx, sweepTime, 5)
	require.NoError(t, err)
	require.Len(t, claimed, 5, "as many as were asked for")
}

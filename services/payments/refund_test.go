package main

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRefunding(t *testing.T) {
	t.Parallel()

	t.Run("tells the processor of what was captured, once", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		o := s.newOrder("tok_visa")
		s.pays(o)
		s.cancels(o)
		s.cancels(o)
		require.Equal(t, Captured, s.status(o), "until the processor has heard")
		require.NoError(t, s.refundDue(t.Context()))
		require.NoError(t, s.refundDue(t.Context()))
		require.Equal(t, Refunded, s.status(o))
		_, given := s.bank.ledger(o.id)
		require.Equal(t, 1, given)
	})
	t.Run("has nothing to do for what was declined", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		o := s.newOrder("tok_declined")
		s.pays(o)
		s.cancels(o)
		require.NoError(t, s.refundDue(t.Context()))
		require.Equal(t, Declined, s.status(o))
	})
	t.Run("goes on after a crash between the processor and the mark", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		o := s.newOrder("tok_visa")
		s.pays(o)
		s.cancels(o)
		require.NoError(t, s.processor.refund(t.Context(), o.id))
		require.NoError(t, s.refundDue(t.Context()))
		require.Equal(t, Refunded, s.status(o))
	})
	t.Run("that the processor refuses does not keep the others waiting", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		unknown, o := s.newOrder("tok_visa"), s.newOrder("tok_visa")
		for _, o := range []order{unknown, o} {
			s.pays(o)
			s.cancels(o)
		}
		s.bank.forget(unknown.id)
		require.ErrorContains(t, s.refundDue(t.Context()), unknown.id.String())
		require.Equal(t, Captured, s.status(unknown))
		require.Equal(t, Refunded, s.status(o))
	})
	t.Run("of a hundred that the processor refuses does not keep the others waiting", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		for range refundMost {
			o := s.newOrder("tok_visa")
			s.pays(o)
			s.cancels(o)
			s.bank.forget(o.id)
		}
		good := s.newOrder("tok_visa")
		s.pays(good)
		s.cancels(good)
		require.Error(t, s.refundDue(t.Context()))
		require.Equal(t, Captured, s.status(good), "a hundred go in one round")
		require.NoError(t, s.refundDue(t.Context()), "those that were refused are at the back")
		require.Equal(t, Refunded, s.status(good))
		require.Zero(t, s.count(`select count(*) from payments where status = 'captured' and refund_after > now() + interval '10 minutes'`))
		require.Equal(t, refundMost, s.count(`select count(*) from payments where status = 'captured' and refund_requested_at is not null`), "they come again")
	})
	t.Run("is shared by two instances, and sent once", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		var all []order
		for range 12 {
			o := s.newOrder("tok_visa")
			s.pays(o)
			s.cancels(o)
			all = append(all, o)
		}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if err := s.refundDue(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, o := range all {
			require.Equal(t, Refunded, s.status(o))
			require.Equal(t, 2, s.bank.heardOf(o.id), "one charge, one refund")
		}
	})
	t.Run("waits for a processor that is away", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		o := s.newOrder("tok_visa")
		s.pays(o)
		s.cancels(o)
		s.bank.answers(func(int, string) int { return 503 })
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx, slog.New(slog.DiscardHandler)) }()
		time.Sleep(50 * time.Millisecond)
		require.Equal(t, Captured, s.status(o))
		s.bank.answers(func(int, string) int { return 200 })
		require.Eventually(t, func() bool { return s.status(o) == Refunded }, 5*time.Second, 20*time.Millisecond)
		stop()
		require.NoError(t, <-ended)
	})
}

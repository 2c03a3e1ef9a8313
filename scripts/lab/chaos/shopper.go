package chaos

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"banyan/scripts/lab/history"
	"banyan/scripts/lab/shop"
)

// shopper is a customer who comes again and again until the shop closes, and who looks after what they bought.
type shopper struct {
	*history.Customer
	staff  *shop.Person
	books  []string
	think  time.Duration // between two visits, on average
	meter  *meter
	closed <-chan struct{}
	done   *atomic.Int64 // visits of all customers
	random *rand.Rand

	bought []string // the orders that may still be cancelled or sent, oldest first
	known  []string // all orders that the customer was told of
}

// The share of visits, in a hundred, after which one of the customer's orders is cancelled, is sent off, or is both at the
// same moment.
const (
	cancelShare, dispatchShare, bothShare = 6, 8, 2
	listShare                             = 20
)

func (s *shopper) goShopping(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-s.closed:
			return nil
		case <-time.After(time.Duration(s.random.Int64N(int64(2 * s.think)))):
		}
		v := history.Draw(s.random, s.books)
		if err := s.visit(ctx, v); err != nil {
			return err
		}
		s.lookAfter(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

// visit is one checkout. A cart that cannot be filled while the shop is away is left for another day.
func (s *shopper) visit(ctx context.Context, v history.Visit) error {
	filled, err := s.Fill(ctx, v.Lines)
	if err != nil {
		return context.Cause(ctx)
	}
	a := s.Begin(v, filled)
	if err := s.Buy(ctx, v, a); err != nil && !errors.Is(err, history.ErrStuck) {
		return err
	}
	s.done.Add(1)
	switch a.Outcome {
	case history.Paid:
		s.meter.add(a.Began, a.Ended)
		s.bought = append(s.bought, a.Order)
	case history.Refused: // what is sold out would be in the way of every other checkout
		_ = s.EmptyCart(ctx)
	}
	if a.Order != "" {
		s.known = append(s.known, a.Order)
	}
	return nil
}

// lookAfter does something about an earlier order, and looks at one.
func (s *shopper) lookAfter(ctx context.Context) {
	if n := s.random.IntN(100); n < cancelShare+dispatchShare+bothShare && len(s.bought) > 0 {
		i := s.random.IntN(len(s.bought))
		id := s.bought[i]
		s.bought = append(s.bought[:i], s.bought[i+1:]...)
		switch {
		case n < cancelShare:
			s.Cancels(ctx, id)
		case n < cancelShare+dispatchShare:
			s.Dispatches(ctx, s.staff, id)
		default:
			var both sync.WaitGroup
			both.Go(func() { s.Cancels(ctx, id) })
			both.Go(func() { s.Dispatches(ctx, s.staff, id) })
			both.Wait()
		}
	}
	if len(s.known) == 0 {
		return
	}
	s.Rereads(ctx, s.known[s.random.IntN(len(s.known))])
	if s.random.IntN(100) < listShare {
		s.Lists(ctx, s.known[len(s.known)-1])
	}
}

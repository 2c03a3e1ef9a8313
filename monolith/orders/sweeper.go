package orders

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"banyan/internal/idempotency"
	"banyan/internal/postgres"
)

const (
	sweepEvery  = time.Second
	sweepAtOnce = 8   // orders finished side by side
	sweepMost   = 500 // orders looked at in one go
	sweepTime   = 5 * time.Second
)

// Run is the sweeper: it finishes the orders that a crash, or a card processor or
// a far neighbour without an answer, left pending, until ctx ends. Several may run; the order's
// transition out of pending lets one of them win.
func (s *Service) Run(ctx context.Context, log *slog.Logger) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for n := 0; ; n++ {
		if err := s.sweep(ctx, log); err != nil && ctx.Err() == nil {
			log.ErrorContext(ctx, "sweep", "error", err)
		}
		if n%60 == 0 {
			if err := idempotency.Purge(ctx, s.pool); err != nil && ctx.Err() == nil {
				log.ErrorContext(ctx, "purge idempotency keys", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (s *Service) sweep(ctx context.Context, log *slog.Logger) error {
	left, err := s.unsettled(ctx)
	if err != nil {
		return err
	}
	var group errgroup.Group
	group.SetLimit(sweepAtOnce)
	for _, o := range left {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error {
			if err := s.finish(ctx, log, o); err != nil && ctx.Err() == nil {
				log.WarnContext(ctx, "order stays pending", "order_id", o.ID, "error", err)
			}
			return nil
		})
	}
	return group.Wait()
}

// unsettled are the orders that nobody is working on: the pending ones, and, once
// shipping is far, those whose customers wish to cancel them.
func (s *Service) unsettled(ctx context.Context) ([]Order, error) {
	before := time.Now().Add(-s.sweepAfter)
	left, err := selectPending(ctx, s.pool, before, sweepMost)
	if err != nil {
		return nil, fmt.Errorf("look for pending orders: %w", err)
	}
	if s.far.Shipments == nil {
		return left, nil
	}
	wishes, err := selectCancelRequests(ctx, s.pool, before, sweepMost)
	if err != nil {
		return nil, fmt.Errorf("look for orders to cancel: %w", err)
	}
	return append(left, wishes...), nil
}

// finish settles one pending order, or carries out the wish to cancel a paid
// one. Its customer got 202 or no answer at all, so what came of it is told by
// mail.
func (s *Service) finish(ctx context.Context, log *slog.Logger, o Order) (err error) {
	asking, cancel := context.WithTimeout(ctx, sweepTime)
	defer cancel()
	if o.Status == Paid {
		if err := s.cancelPaid(asking, o); err != nil && !moved(err) && !errors.Is(err, ErrShipped) {
			return err
		}
		return nil
	}
	if s.far.Payments != nil {
		if o.CardToken, err = selectCardToken(asking, s.pool, o.ID); err != nil {
			return fmt.Errorf("find the card of order %s: %w", o.ID, err)
		}
	}
	if o, _, err = s.ask(asking, o); err != nil {
		return err
	}
	var b pgx.Batch
	s.queueOutcome(ctx, &b, o, false)
	switch err := postgres.Exec(ctx, s.pool, &b); {
	case moved(err): // somebody else was quicker
		return nil
	case err != nil:
		return err
	}
	log.InfoContext(ctx, "order settled", "order_id", o.ID, "status", o.Status)
	s.wake()
	return nil
}

package shop

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// Patience is how long people wait for what follows a little later, and for a shop that is away.
const Patience = 30 * time.Second

// Pause waits, and returns an error if ctx ends first.
func Pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// Eventually repeats a look until it is enough, for [Patience] at most.
func Eventually(ctx context.Context, look func(context.Context) (enough bool, err error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, Patience, fmt.Errorf("it did not happen within %s", Patience))
	defer cancel()
	for {
		enough, err := look(ctx)
		if err != nil || enough {
			return err
		}
		if err := Pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// Each does something for 0 to n-1, so many at once, and returns the first error.
func Each(ctx context.Context, n, atOnce int, do func(ctx context.Context, i int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i := range n {
		group.Go(func() error { return do(ctx, i) })
	}
	return group.Wait()
}

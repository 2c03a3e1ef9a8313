package chaos

import (
	"context"
	"time"

	"banyan/scripts/lab/invariants"
	"banyan/scripts/lab/shop"
)

// caughtUp waits until all that waited at a moment is dealt with, and says how long after the moment that was. Customers go on
// buying meanwhile, so there is always something; but once a queue has been seen empty, nothing is in it of before. The
// consumers' count only once the outboxes have been: what waits there comes to them.
func caughtUp(ctx context.Context, services *invariants.Shop, since time.Time, within time.Duration) (took time.Duration, yes bool, err error) {
	seen := map[string]bool{} // empty, by what it is
	for deadline := time.Now().Add(within); time.Now().Before(deadline); {
		if empty, err := sawEmpty(ctx, services, seen); err == nil && empty {
			return time.Since(since), true, nil
		}
		if err := shop.Pause(ctx, 25*time.Millisecond); err != nil {
			return 0, false, err
		}
	}
	return 0, false, nil
}

// sawEmpty says whether every queue has been seen empty. A server that cannot be asked at the moment is asked again.
func sawEmpty(ctx context.Context, services *invariants.Shop, seen map[string]bool) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	for _, ask := range []func(context.Context) ([]invariants.Queue, error){services.Outboxes, services.Consumers} {
		queues, err := ask(ctx)
		if err != nil || len(queues) == 0 { // consumers that were lost with the stream are about to be made again
			return false, err
		}
		all := true
		for _, q := range queues {
			seen[q.Name] = seen[q.Name] || q.Empty
			all = all && seen[q.Name]
		}
		if !all {
			return false, nil
		}
	}
	return true, nil
}

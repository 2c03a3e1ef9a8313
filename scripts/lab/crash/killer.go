package crash

import (
	"context"
	"fmt"
	"iter"
	"time"

	"banyan/scripts/lab/up"
)

// death is one kill that happened.
type death struct {
	Process string        `json:"process"`
	At      time.Time     `json:"at"`
	Away    time.Duration `json:"away_ns"` // until it was ready again
}

// killer ends processes by SIGKILL and starts them again at once.
type killer struct {
	lab    *up.Lab
	deaths []death
}

// work kills until the run is over, and returns when everything runs again.
func (k *killer) work(ctx context.Context, kills iter.Seq[kill], over <-chan struct{}) error {
	for next := range kills {
		timer := time.NewTimer(next.after)
		select {
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		case <-over:
			timer.Stop()
			return nil
		case <-timer.C:
		}
		process := k.lab.Process(next.victim)
		at := time.Now()
		process.Kill9()
		if err := process.Restart(ctx); err != nil {
			return fmt.Errorf("start %s again: %w", next.victim, err)
		}
		k.deaths = append(k.deaths, death{next.victim, at, time.Since(at)})
	}
	return nil
}

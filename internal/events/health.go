package events

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// health logs when something stops working and when it works again, and keeps
// silent in between: what is retried ten times a second must not be logged as often.
type health struct {
	log  *slog.Logger
	what string // such as "publishing"

	mu  sync.Mutex
	ill bool
}

func (h *health) failed(ctx context.Context, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.ill {
		h.log.WarnContext(ctx, h.what+" fails; trying until it works", "error", err)
	}
	h.ill = true
}

func (h *health) failing() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ill
}

func (h *health) worked(ctx context.Context) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ill {
		h.log.InfoContext(ctx, h.what+" works again")
	}
	h.ill = false
}

// backoff is how long to wait after the nth failure in a row, counted from 1:
// twice as long each time, up to limit, and never the same for two that failed
// together.
func backoff(n uint64, first, limit time.Duration) time.Duration {
	d := limit
	if n < 32 && first<<(max(n, 1)-1) < limit {
		d = first << (max(n, 1) - 1)
	}
	return d*3/4 + rand.N(d/4+1)
}

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

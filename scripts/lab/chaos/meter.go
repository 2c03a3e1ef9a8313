package chaos

import (
	"context"
	"slices"
	"sync"
	"time"

	"banyan/scripts/lab/shop"
)

// meter sees the checkouts that are answered with 201, each in its time.
type meter struct {
	mu    sync.Mutex
	paid  []span
	usual float64 // a second, while nothing is broken
}

type span struct{ began, ended time.Time }

func (m *meter) add(began, ended time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.paid = append(m.paid, span{began, ended})
}

// setUsual takes what has come since a moment for the usual rate.
func (m *meter) setUsual(since time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, s := range m.paid {
		if s.ended.After(since) {
			n++
		}
	}
	m.usual = float64(n) / time.Since(since).Seconds()
}

// enough is how many checkouts in one second are the usual again: half of the rate. Chance alone makes a second
// a third poorer than another. If the machine had other work in the half minute before, what was sold then counts.
func (m *meter) enough(before time.Time) int {
	const lately = 30 * time.Second
	n := 0
	for i := len(m.paid) - 1; i >= 0; i-- {
		if ended := m.paid[i].ended; ended.Before(before) && before.Sub(ended) < lately {
			n++
		}
	}
	rate := m.usual
	if len(m.paid) > 0 && before.Sub(m.paid[0].ended) >= lately {
		rate = min(rate, float64(n)/lately.Seconds())
	}
	return max(2, int(rate/2+0.5))
}

// again says when the shop began to sell at the usual rate again: the first answer of the first second that had
// enough of them to checkouts that were begun after the moment. The fault began at another, before it.
func (m *meter) again(broke, since time.Time) (at time.Time, yes bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var ends []time.Time
	for i := len(m.paid) - 1; i >= 0 && m.paid[i].ended.After(since); i-- {
		if !m.paid[i].began.Before(since) {
			ends = append(ends, m.paid[i].ended)
		}
	}
	slices.SortFunc(ends, time.Time.Compare)
	n := m.enough(broke)
	for i := n - 1; i < len(ends); i++ {
		if ends[i].Sub(ends[i-n+1]) <= time.Second {
			return ends[i-n+1], true
		}
	}
	return time.Time{}, false
}

// await waits until the shop sells at the usual rate again, and says how long after the moment that was.
func (m *meter) await(ctx context.Context, broke, since time.Time, within time.Duration) (took time.Duration, yes bool, err error) {
	for deadline := time.Now().Add(within); ; {
		if at, yes := m.again(broke, since); yes {
			return at.Sub(since), true, nil
		}
		if time.Now().After(deadline) {
			return 0, false, nil
		}
		if err := shop.Pause(ctx, 50*time.Millisecond); err != nil {
			return 0, false, err
		}
	}
}

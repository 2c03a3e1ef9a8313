package move

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/up"
)

// waiting is a watch that has seen so many requests in the last second, nine in ten of them within a millisecond and the others
// within the time given, in seconds.
func waiting(requests int64, slow float64) *watch {
	now := time.Now()
	counts := map[float64]int64{.001: requests * 9 / 10, slow: requests, 1e10: requests}
	return &watch{samples: []sample{
		{at: now.Add(-2 * time.Second), buckets: map[float64]int64{}},
		{at: now, requests: requests, buckets: counts},
	}}
}

func TestRest(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		pace     Pace
		requests int64
		slow     float64 // seconds
		want     time.Duration
	}{
		"nobody asked for a rest":            {Pace{}, 1000, 1, 0},
		"customers wait no longer":           {Pace{MaxP99: 100 * time.Millisecond}, 1000, .05, 0},
		"they wait longer, and it goes on":   {Pace{MaxP99: 100 * time.Millisecond}, 1000, 1, mostRest},
		"too few came to tell":               {Pace{MaxP99: 100 * time.Millisecond}, fewAtHand - 1, 1, 0},
		"after each range":                   {Pace{BatchDelay: 300 * time.Millisecond}, 1000, 1, 300 * time.Millisecond},
		"after each range, and they wait on": {Pace{BatchDelay: time.Second, MaxP99: 100 * time.Millisecond}, 1000, 1, time.Second + mostRest},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := waiting(test.requests, test.slow)
			m := &Move{area: "orders", state: &up.State{Dir: t.TempDir()}, watch: w, out: io.Discard}
			began, s := time.Now(), &Stage{}
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			go func() { // the gateway goes on telling the same
				for pause(ctx, sampleEvery) == nil {
					again := waiting(test.requests, test.slow)
					w.mu.Lock()
					w.samples = again.samples
					w.mu.Unlock()
				}
			}()
			require.NoError(t, m.rest(t.Context(), test.pace, s))
			require.InDelta(t, test.want.Seconds(), time.Since(began).Seconds(), .2, name)
			require.InDelta(t, test.want.Seconds(), s.Rested, .2, name)
		})
	}
}

func TestRestWhilePaused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, Pause(dir, "orders"))
	synctest.Test(t, func(t *testing.T) {
		m := &Move{area: "orders", state: &up.State{Dir: dir}, watch: waiting(0, 1), out: io.Discard}
		time.AfterFunc(time.Minute, func() { require.NoError(t, Resume(dir, "orders")) })
		began := time.Now()
		require.NoError(t, m.rest(t.Context(), Pace{}, &Stage{}))
		require.InDelta(t, 60, time.Since(began).Seconds(), 1)
	})
}

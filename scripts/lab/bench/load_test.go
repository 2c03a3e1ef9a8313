package bench

import (
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/load"
	"banyan/scripts/lab/workload"
	"banyan/scripts/lab/workload/fakeshop"
)

// signedIn are so many customers of a fake shop.
func signedIn(t *testing.T, at *fakeshop.Shop, customers int) *workload.Clientele {
	t.Helper()
	people, err := workload.SignIn(t.Context(), at.URL, workload.Visitors{Catalogue: known(), Customers: customers, Keys: "test"})
	require.NoError(t, err)
	return people
}

// driven is what browsers see that ask for a page 20 times a second.
func driven(t *testing.T, browsers int, length time.Duration) *workload.Tally {
	t.Helper()
	load := workload.Asking{Mix: workload.Only(workload.Home), Browsers: browsers, Rate: 20, Length: length, SampleEvery: 1}
	asking, err := signedIn(t, fakeshop.New(t, seeded(), nil), browsers).Browsers(load)
	require.NoError(t, err)
	asking.Drive(t.Context(), load)
	return asking.Tally()
}

// A generator that gets no CPU asks late, and the figures would be its own. Both tests must not run beside others.
func TestAStarvedGeneratorIsCaught(t *testing.T) {
	judged := func(t *testing.T, seen *workload.Tally) *Report {
		r := aReport()
		done := aRound(0)
		done.load = asking{kind: kindOpen, share: 0.5, Asking: workload.Asking{Rate: 100, Browsers: 2}}
		done.tally, done.bill.generator = seen, 0
		r.take("services", "browsing", done)
		r.judge()
		return r
	}

	t.Run("whose clock rings late", func(t *testing.T) {
		seen := workload.NewTally()
		for n := range 20 {
			seen.Pace.Keep(load.Turn{N: n, Due: time.Now(), Free: true, Delay: 2 * load.LateAfter})
		}
		r := judged(t, seen)
		require.False(t, r.Valid)
		require.Empty(t, r.Ratios)
		require.Contains(t, r.Reasons[0], "did not get the CPU that it needs")
	})

	t.Run("whose process is busy with something else", func(t *testing.T) {
		var over atomic.Bool
		defer over.Store(true)
		for range 6 * runtime.GOMAXPROCS(0) {
			go func() {
				for !over.Load() {
				}
			}()
		}
		r := judged(t, driven(t, 16, time.Second))
		require.False(t, r.Valid)
		require.Contains(t, strings.Join(r.Reasons, "\n"), "the load generator began")
	})

	t.Run("but not one that has it", func(t *testing.T) {
		seen := driven(t, 2, 500*time.Millisecond)
		if !seen.Pace.TooLate(mostLate) { // else others were in the way, and it is right to say so
			require.True(t, judged(t, seen).Valid)
		}
	})
}

package bench

import (
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/load"
)

// homes only ask for pages that any number of browsers may ask a fake shop for.
var homesOnly = Mix{Name: "homes", Shares: page(Home).Shares}

// openBrowsers ask a shop that may be spoiled.
func openBrowsers(t *testing.T, spoil http.HandlerFunc, n int) []*browser {
	t.Helper()
	_, server := newFakeShop(t, spoil)
	var browsers []*browser
	for i := range n {
		b := newTestBrowser(t, server.URL)
		b.script = newScript(known(), homesOnly, 1, 1, i)
		browsers = append(browsers, b)
	}
	return browsers
}

// all that the browsers saw.
func all(browsers []*browser) *tally {
	sum := newTally()
	for _, b := range browsers {
		sum.add(b.tally)
	}
	return sum
}

func TestOpenLoop(t *testing.T) {
	t.Parallel()

	t.Run("asks at its rate, whatever the answers do", func(t *testing.T) {
		t.Parallel()
		browsers := openBrowsers(t, nil, 4)
		took := driveAll(t.Context(), browsers, asking{rate: 200, length: 500 * time.Millisecond})
		seen := all(browsers)
		require.EqualValues(t, 100, seen.requests)
		require.EqualValues(t, 100, seen.visits[Home].count)
		require.Greater(t, took, 480*time.Millisecond)
		require.Zero(t, seen.errors+seen.wrong, seen.complaints)
	})

	t.Run("makes a side that stalls answer for all who came meanwhile", func(t *testing.T) {
		t.Parallel()
		const stall = 400 * time.Millisecond
		var asked atomic.Int64
		browsers := openBrowsers(t, func(http.ResponseWriter, *http.Request) {
			if asked.Add(1) == 10 {
				time.Sleep(stall)
			}
		}, 1)
		driveAll(t.Context(), browsers, asking{rate: 100, length: 800 * time.Millisecond})
		seen := all(browsers)
		require.EqualValues(t, 80, seen.requests)
		// Forty pages had to be asked for during the stall. A loop that waits for its answers would count one.
		require.Greater(t, seen.percentile(75), 50.0, "a quarter waited for longer")
		require.Less(t, seen.pace.LateShare(), 0.2, "which is the side's doing and not the generator's")
	})

	t.Run("gives up what a side is too slow for, as errors", func(t *testing.T) {
		t.Parallel()
		browsers := openBrowsers(t, nil, 1)
		for range 10 {
			browsers[0].follow(t.Context(), load.Turn{Err: load.ErrTooSlow})
		}
		seen := all(browsers)
		require.EqualValues(t, 10, seen.errors)
		require.Zero(t, seen.requests)
		require.Contains(t, seen.complaints[0], "more than the server can do")
	})
}

func TestThinkTime(t *testing.T) {
	t.Parallel()
	eager, thoughtful := openBrowsers(t, nil, 1), openBrowsers(t, nil, 1)
	driveAll(t.Context(), eager, asking{length: 300 * time.Millisecond})
	driveAll(t.Context(), thoughtful, asking{length: 300 * time.Millisecond, think: 30 * time.Millisecond})
	require.Less(t, all(thoughtful).requests, all(eager).requests/2)

	sum := 0.0
	script := newScript(known(), homesOnly, 1, 1, 0)
	const draws = 20_000
	for range draws {
		v := script.next()
		require.LessOrEqual(t, v.think, float64(longestThought))
		sum += v.think
	}
	require.InDelta(t, 1, sum/draws, 0.03, "the mean is the mean")
}

// A generator that gets no CPU asks late, and the figures would be its own. Both tests must not run beside others.
func TestAStarvedGeneratorIsCaught(t *testing.T) {
	judged := func(t *testing.T, browsers []*browser) *Report {
		r := aReport()
		done := aRound(0)
		done.load = asking{kind: kindOpen, rate: 100, share: 0.5, browsers: len(browsers)}
		done.tally, done.bill.generator = all(browsers), 0
		r.take("services", "browsing", done)
		r.judge()
		return r
	}

	t.Run("whose clock rings late", func(t *testing.T) {
		browsers := openBrowsers(t, nil, 2)
		for n := range 20 {
			browsers[n%2].follow(t.Context(), load.Turn{N: n, Due: time.Now(), Free: true, Delay: 2 * load.LateAfter})
		}
		r := judged(t, browsers)
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
		browsers := openBrowsers(t, nil, 16)
		driveAll(t.Context(), browsers, asking{rate: 20, length: time.Second})
		r := judged(t, browsers)
		require.False(t, r.Valid)
		require.Contains(t, strings.Join(r.Reasons, "\n"), "the load generator began")
	})

	t.Run("but not one that has it", func(t *testing.T) {
		browsers := openBrowsers(t, nil, 2)
		driveAll(t.Context(), browsers, asking{rate: 20, length: 500 * time.Millisecond})
		if !all(browsers).pace.TooLate(mostLate) { // else others were in the way, and it is right to say so
			require.True(t, judged(t, browsers).Valid)
		}
	})
}

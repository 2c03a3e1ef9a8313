package workload

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/load"
	"banyan/scripts/lab/workload/fakeshop"
)

// homesOnly has a request in each interaction.
var homesOnly = Only(Home)

// openBrowsers ask a shop that may be spoiled.
func openBrowsers(t *testing.T, spoil http.HandlerFunc, n int) Browsers {
	t.Helper()
	at := fakeshop.New(t, seeded(), spoil)
	var browsers Browsers
	for i := range n {
		b := newTestBrowser(t, at)
		b.script = newScript(known(), homesOnly, 1, 1, i)
		browsers = append(browsers, b)
	}
	return browsers
}

func TestOpenLoop(t *testing.T) {
	t.Parallel()

	t.Run("asks at its rate, whatever the answers do", func(t *testing.T) {
		t.Parallel()
		browsers := openBrowsers(t, nil, 4)
		took := browsers.Drive(t.Context(), Asking{Rate: 200, Length: 500 * time.Millisecond})
		seen := browsers.Tally()
		require.EqualValues(t, 100, seen.Requests)
		require.EqualValues(t, 100, seen.Visits[Home].Count)
		require.Greater(t, took, 480*time.Millisecond)
		require.Zero(t, seen.Errors+seen.Wrong, seen.Complaints)
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
		browsers.Drive(t.Context(), Asking{Rate: 100, Length: 800 * time.Millisecond})
		seen := browsers.Tally()
		require.EqualValues(t, 80, seen.Requests)
		// Forty pages had to be asked for during the stall. A loop that waits for its answers would count one.
		require.Greater(t, seen.Latency.Percentile(75), 50*time.Millisecond, "a quarter waited for longer")
		require.Less(t, seen.Pace.LateShare(), 0.2, "which is the side's doing and not the generator's")
	})

	t.Run("gives up what a side is too slow for, as errors", func(t *testing.T) {
		t.Parallel()
		browsers := openBrowsers(t, nil, 1)
		for range 10 {
			browsers[0].follow(t.Context(), load.Turn{Err: load.ErrTooSlow})
		}
		seen := browsers.Tally()
		require.EqualValues(t, 10, seen.Errors)
		require.Zero(t, seen.Requests)
		require.Contains(t, seen.Complaints[0].Text, "more than the server can do")
	})
}

func TestThinkTime(t *testing.T) {
	t.Parallel()
	eager, thoughtful := openBrowsers(t, nil, 1), openBrowsers(t, nil, 1)
	eager.Drive(t.Context(), Asking{Length: 300 * time.Millisecond})
	thoughtful.Drive(t.Context(), Asking{Length: 300 * time.Millisecond, Think: 30 * time.Millisecond})
	require.Less(t, thoughtful.Tally().Requests, eager.Tally().Requests/2)

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

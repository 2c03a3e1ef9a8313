package overload

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/shop"
)

// sound is a report that nothing is wrong with.
func sound() *Report {
	return &Report{
		Side: "services", Times: times, Goodput: .9,
		Best:     Phase{Goodput: 1000, Accepted: 10_000, P50: 20, P99: 80, Kinds: map[string]Kind{kindCheckout: {Rate: 150}}},
		Overload: Phase{Goodput: 900, Accepted: 9000, Refused: 41_000, P50: 40, P99: 160, Kinds: map[string]Kind{kindCheckout: {Rate: 130}}},
		Outage: &Outage{
			Rounds: 3, Ratio: 1.1, Browsed: 5000, Opened: 3, OpenSeen: 3, ClosedSeen: 3, Requests: 10_000, Retries: 900, Failovers: 50,
		},
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	t.Run("a sound run passes", func(t *testing.T) {
		t.Parallel()
		r := sound()
		r.judge()
		require.Empty(t, r.Violations)
	})
	for name, spoil := range map[string]func(*Report){
		"goodput that collapses":                  func(r *Report) { r.Goodput = .79 },
		"goodput kept by refusing checkouts":      func(r *Report) { r.Overload.Kinds[kindCheckout] = Kind{Rate: 100} },
		"accepted requests that wait":             func(r *Report) { r.Overload.P50 = 41 },
		"some accepted requests that wait":        func(r *Report) { r.Overload.P99 = 161 },
		"no overload":                             func(r *Report) { r.Overload.Refused = 0 },
		"a request that failed":                   func(r *Report) { r.Overload.Failed = 1 },
		"one that failed in quiet times":          func(r *Report) { r.Best.Failed = 1 },
		"refusals at ordinary concurrency":        func(r *Report) { r.Best.Refused = 51 },
		"one by a door":                           func(r *Report) { r.Best.Refused, r.Best.Shed = 1, 1 },
		"answers that the mix should not get":     func(r *Report) { r.Overload.Declined = 600 },
		"a generator that is late":                func(r *Report) { r.Overload.Late = 600 },
		"browsing that suffers with payments":     func(r *Report) { r.Outage.Ratio = 1.21 },
		"browsing that was not measured":          func(r *Report) { r.Outage.Ratio = 0 },
		"browsing that fails with payments":       func(r *Report) { r.Outage.Unbrowsed = 1 },
		"a breaker that stays shut in one outage": func(r *Report) { r.Outage.OpenSeen = 2 },
		"a breaker that never closes again":       func(r *Report) { r.Outage.ClosedSeen = 2 },
		"more retries than the budget":            func(r *Report) { r.Outage.Retries = 951 },
	} {
		t.Run(name+" is noticed", func(t *testing.T) {
			t.Parallel()
			r := sound()
			spoil(r)
			r.judge()
			require.Len(t, r.Violations, 1, "%v", r.Violations)
			require.False(t, r.Passed())
		})
	}
}

// said is an answer.
func said(status int, kind, later string, err error) answer {
	return answer{shop.Answer{Status: status, Header: http.Header{"Content-Type": {kind}, "Retry-After": {later}}}, err}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	const problem = "application/problem+json"
	for name, c := range map[string]struct {
		answer answer
		want   outcome
	}{
		"served":                         {said(201, "", "", nil), accepted},
		"declined":                       {said(409, problem, "", nil), said4xx},
		"told to come back":              {said(503, problem, "1", nil), refused},
		"too often":                      {said(429, problem, "2", nil), refused},
		"not told when":                  {said(503, problem, "", nil), failed},
		"told at once, which is no time": {said(503, problem, "0", nil), failed},
		"refused in prose":               {said(503, "text/plain", "1", nil), failed},
		"a mistake of the shop's":        {said(500, problem, "", nil), failed},
		"broken off":                     {said(200, "", "", io.ErrUnexpectedEOF), failed},
		"a mistake of the mix's":         {said(404, problem, "", nil), failed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, c.answer.judge())
		})
	}
}

// TestAtRate has a server that can do less than it is asked: the rate must not follow it, and the time that requests
// waited to be sent must count.
func TestAtRate(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		time.Sleep(200 * time.Millisecond)
	}))
	defer server.Close()
	client, err := shop.New(shop.Options{Raw: true}, server.URL)
	require.NoError(t, err)
	s := &crowd{client: client}
	tally := s.atRate(t.Context(), 50, 0, time.Second, func() (string, answer) {
		return kindBook, s.send(context.Background(), shop.Request{Method: http.MethodGet, Path: "/"})
	})
	require.EqualValues(t, 50, asked.Load())
	require.EqualValues(t, 50, tally.Served.Count())
	require.EqualValues(t, 50, tally.Kind(kindBook).Count())
	require.GreaterOrEqual(t, tally.Served.Percentile(50), 200*time.Millisecond)
	require.Less(t, tally.goodput(), 45.0, "the last ten are served when the phase is over")
}

// TestWindow has a server that takes its time, but keeps up. Its answers must count in full, from when it is as busy as it
// stays, although the first ones come late and the last ones after the end.
func TestWindow(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(300 * time.Millisecond) }))
	defer server.Close()
	client, err := shop.New(shop.Options{Raw: true}, server.URL)
	require.NoError(t, err)
	s := &crowd{client: client}
	tally := s.atRate(t.Context(), 50, 500*time.Millisecond, time.Second, func() (string, answer) {
		return kindBook, s.send(context.Background(), shop.Request{Method: http.MethodGet, Path: "/"})
	})
	require.InDelta(t, 50, tally.goodput(), 5)
}

func TestOrdinary(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		sweep []Point
		want  int
	}{
		"the largest that is served as well":     {[]Point{{16, 96, 0}, {32, 100, 0}, {64, 97, 0}}, 64},
		"one that is served worse":               {[]Point{{16, 96, 0}, {32, 100, 0}, {64, 90, 0}}, 32},
		"one of whom some are told to come back": {[]Point{{16, 96, 0}, {32, 98, .0005}, {64, 100, .02}}, 32},
		"all are told to come back":              {[]Point{{16, 96, .01}, {32, 98, .02}, {64, 100, .03}}, 16},
	} {
		require.Equal(t, test.want, ordinary(test.sweep, 100), name)
	}
}

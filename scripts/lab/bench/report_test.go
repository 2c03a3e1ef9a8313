package bench

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/up"
	"banyan/scripts/lab/workload"
)

// aRound lasted a second: so many requests, each of two milliseconds.
func aRound(requests int) *round {
	t := workload.NewTally()
	for range requests {
		t.Took(2 * time.Millisecond)
	}
	for range requests {
		t.Visited(workload.Home, 2*time.Millisecond, 1, 0)
	}
	t.Checked = 1
	return &round{
		load: asking{kind: kindClosed, Asking: workload.Asking{Browsers: 16}}, counted: newCounted(),
		tally: t, took: 900 * time.Millisecond, drain: 100 * time.Millisecond, rest: true,
		bill: &bill{known: true, elapsed: time.Second, generator: 100 * time.Millisecond, lab: map[string]time.Duration{
			"monolith": 400 * time.Millisecond, "postgres monolith_app": 100 * time.Millisecond,
			"catalog": 800 * time.Millisecond, "postgres catalog_app": 200 * time.Millisecond,
		}},
	}
}

// aReport has three rounds of browsing on two cores; the monolith was twice as fast.
func aReport() *Report {
	r := newReport("small", Quick(), []*side{{step: 0, name: up.Monolith, home: up.Monolith}, {step: 8, name: up.Services, home: up.Services}})
	r.Machine.Cores = 2
	for side, speed := range map[string]int{up.Monolith: 1000, up.Services: 500} {
		for _, faster := range []int{0, 500, 100} {
			r.take(side, "browsing", aRound(speed+faster*speed/1000))
		}
	}
	return r
}

func TestReport(t *testing.T) {
	t.Parallel()

	t.Run("compares the medians of the rounds", func(t *testing.T) {
		t.Parallel()
		r := aReport()
		r.judge()
		require.True(t, r.Valid, r.Reasons)
		require.Empty(t, r.Warnings)
		require.InDelta(t, 1100, r.Sides[up.Monolith].Mixes["browsing"].Throughput, 0.1, "in load and drain together")
		require.InDelta(t, 0.5, r.Ratios["browsing"], 0.001)
		require.InDelta(t, 2, r.Sides[up.Monolith].Mixes["browsing"].P50, 0.01)
	})

	t.Run("charges a side with the work of its own processes only", func(t *testing.T) {
		t.Parallel()
		r := aReport()
		r.judge()
		monolith := r.Sides[up.Monolith].Mixes["browsing"]
		require.NotContains(t, monolith.CPU, "catalog")
		require.InDelta(t, 3*500.0/3600, monolith.CPUTotal, 0.001)
		// 0.5 s for 3,600 requests against 1 s for 1,800.
		require.InDelta(t, 0.25, r.CPURatios["browsing"], 0.001)
	})

	t.Run("has no ratio of one side alone", func(t *testing.T) {
		t.Parallel()
		r := aReport()
		delete(r.Sides, up.Services)
		r.judge()
		require.True(t, r.Valid)
		require.Empty(t, r.Ratios)
	})

	invalid := map[string]struct {
		spoil func(*round)
		says  string
	}{
		"a wrong answer":      {func(r *round) { r.tally.Wrong = 1; r.tally.Complain(workload.Complaint{Text: "the moon is cheese"}) }, "1 answers were wrong: the moon is cheese"},
		"many errors":         {func(r *round) { r.tally.Errors = 2 }, "more than 0.1 %"},
		"a slow generator":    {func(r *round) { r.bill.generator = 5 * time.Second }, "was the bottleneck itself"},
		"nothing":             {func(r *round) { *r.tally = *workload.NewTally() }, "nothing was answered"},
		"nothing looked into": {func(r *round) { r.tally.Checked = 0 }, "no answer was compared"},
	}
	for name, c := range invalid {
		t.Run("is invalid after "+name, func(t *testing.T) {
			t.Parallel()
			r := aReport()
			done := aRound(1000)
			c.spoil(done)
			delete(r.Sides[up.Services].Mixes, "browsing")
			r.take(up.Services, "browsing", done)
			r.judge()
			require.False(t, r.Valid)
			require.Empty(t, r.Ratios)
			require.Len(t, r.Reasons, 1)
			require.Contains(t, r.Reasons[0], "services, browsing: ")
			require.Contains(t, r.Reasons[0], c.says)

			var table strings.Builder
			require.NoError(t, r.WriteTable(&table))
			require.Contains(t, table.String(), "NOT VALID")
			require.Contains(t, table.String(), c.says)
		})
	}

	t.Run("is invalid after a wrong answer in a warm-up", func(t *testing.T) {
		t.Parallel()
		r := aReport()
		done := aRound(10)
		done.load.kind, done.tally.Wrong = kindWarmUp, 1
		r.take(up.Services, "browsing", done)
		r.take(up.Services, "browsing", aRound(500))
		r.judge()
		require.False(t, r.Valid)
	})

	t.Run("warns of what may have disturbed it", func(t *testing.T) {
		t.Parallel()
		r := aReport()
		done := aRound(10_000)
		done.rest, done.tally.Errors, done.tally.Refused["sold-out"] = false, 1, 7
		done.bill.others, done.bill.stolen = 2*time.Second, 2*time.Second
		r.take(up.Services, "browsing", done)
		r.judge()
		require.True(t, r.Valid, r.Reasons)
		for _, word := range []string{"requests failed", "7 checkouts found a book sold out", "come to rest", "other programs", "host of this virtual machine"} {
			require.Contains(t, strings.Join(r.Warnings, "\n"), word)
		}
	})
}

func TestReportAsJSON(t *testing.T) {
	t.Parallel()
	shape := func(r *Report) map[string]any {
		text, err := json.Marshal(r)
		require.NoError(t, err)
		var got map[string]any
		require.NoError(t, json.Unmarshal(text, &got))
		return got
	}

	t.Run("says what was found", func(t *testing.T) {
		t.Parallel()
		r := aReport()
		r.judge()
		got := shape(r)
		require.Equal(t, true, got["valid"])
		require.Equal(t, []any{}, got["reasons"])
		require.InDelta(t, 0.5, got["ratios"].(map[string]any)["browsing"], 0.001)
		require.Contains(t, got["machine"], "cpu")
		browsing := got["sides"].(map[string]any)["services"].(map[string]any)["mixes"].(map[string]any)["browsing"].(map[string]any)
		for _, figure := range []string{"requests_per_second", "p50_ms", "p95_ms", "p99_ms", "cpu_ms_per_request", "errors", "rounds", "interactions"} {
			require.Contains(t, browsing, figure)
		}
	})

	t.Run("has reasons instead of ratios when it is invalid", func(t *testing.T) {
		t.Parallel()
		r := aReport()
		r.Sides[up.Monolith].Mixes["browsing"].Wrong = 1
		r.judge()
		got := shape(r)
		require.Equal(t, false, got["valid"])
		require.NotContains(t, got, "ratios")
		require.NotContains(t, got, "cpu_ratios")
		require.NotEmpty(t, got["reasons"])
	})
}

func TestMedian(t *testing.T) {
	t.Parallel()
	require.Zero(t, median(nil))
	require.Equal(t, 2.0, median([]float64{3, 1, 2}))
	require.Equal(t, 2.5, median([]float64{4, 1, 2, 3}))
}

func TestOptions(t *testing.T) {
	t.Parallel()
	require.NoError(t, Full().Validate())
	require.NoError(t, Standard().Validate())
	require.NoError(t, Quick().Validate())
	for name, spoil := range map[string]func(*Options){
		"no mix": func(o *Options) { o.Mixes = nil }, "no time": func(o *Options) { o.Length = 0 },
		"no rounds": func(o *Options) { o.Rounds = 0 }, "no browsers": func(o *Options) { o.Browsers = 0 },
		"fewer customers than browsers": func(o *Options) { o.Customers = o.Browsers - 1 },
		"fewer rounds at most":          func(o *Options) { o.MostRounds = o.Rounds - 1 },
		"no browser at a point":         func(o *Options) { o.Sweep = []int{4, 0} },
		"more than a side can do":       func(o *Options) { o.Open = []float64{1.5} },
		"long thoughts":                 func(o *Options) { o.Think = time.Hour },
	} {
		o := Quick()
		spoil(&o)
		require.Error(t, o.Validate(), name)
	}
}

package bench

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/up"
	"banyan/scripts/lab/workload"
)

// threeSides is a report of everything: two mixes, a page, a rate.
func threeSides() *Report {
	sides := []*side{
		{step: 0, name: up.Monolith, home: up.Monolith}, {step: 1, name: facade, home: up.Monolith}, {step: 8, name: up.Services, home: up.Services},
	}
	o := Full()
	o.Sweep, o.Open = []int{4, 16}, []float64{0.5}
	r := newReport("small", o, sides)
	r.Machine.Cores, r.Inspected = 2, 17
	for side, speed := range map[string]int{up.Monolith: 1000, facade: 800, up.Services: 500} {
		for _, mix := range []string{"browsing", "ordering", workload.Home.String()} {
			for range fewestRounds {
				r.take(side, mix, aRound(speed))
			}
		}
		for _, mix := range []string{"browsing", "ordering"} {
			for i, browsers := range o.Sweep {
				point := aRound(speed * (i + 1))
				point.load = asking{kind: kindSweep, Asking: workload.Asking{Browsers: browsers}}
				r.take(side, mix, point)
			}
			open := aRound(100)
			open.load = asking{kind: kindOpen, share: 0.5, Asking: workload.Asking{Rate: 100, Browsers: 64}}
			open.counted.lags["orders"] = buckets{0.001: 50, 0.01: 100, math.Inf(1): 100}
			r.take(side, mix, open)
		}
		r.Sides[side].Memory = map[string]int64{side: 30 << 20}
		r.Sides[side].MemoryIdle = map[string]int64{side: 20 << 20}
	}
	return r
}

func TestThreeSides(t *testing.T) {
	t.Parallel()
	r := threeSides()
	r.judge()
	require.True(t, r.Valid, r.Reasons)
	require.InDelta(t, 0.5, r.Ratios["browsing"], 0.001, "the façade is not in the way of the result proper")
	require.InDelta(t, 0.8, r.find(facade, up.Monolith, "ordering").Throughput, 0.001)
	require.InDelta(t, 1.6, r.find(facade, up.Services, workload.Home.String()).Throughput, 0.001)
	require.True(t, r.find(facade, up.Services, workload.Home.String()).IsPage)
	require.InDelta(t, 1.6, r.Budgets["5"].Value, 0.001)
	require.Equal(t, "met", r.Budgets["4 browsing"].Verdict())
	require.NotContains(t, r.Budgets, "1", "which this run has not measured")
	require.Equal(t, 16, r.bestBrowsers("browsing"))
	require.InDelta(t, 1000, r.slowest("browsing"), 0.1, "the services' best, with 16 browsers")
	best, browsers := r.result(up.Services, "browsing").best()
	require.InDelta(t, 1000, best, 0.1)
	require.Equal(t, 16, browsers)
}

func TestSave(t *testing.T) {
	t.Parallel()
	r := threeSides()
	r.judge()
	r.Annexes = []Annex{{Name: "limits", Title: "Limits", Text: "![limits](limits.svg)", Pictures: map[string][]byte{"limits.svg": []byte("<svg/>")}}}
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "notes.md"), []byte("Missed, for the moon was full.\n"), 0o644))
	require.NoError(t, r.saveTo(folder, "moon", []byte("{}\n")))

	page, err := os.ReadFile(filepath.Join(folder, "report.md"))
	require.NoError(t, err)
	text := string(page)
	require.Contains(t, text, "Missed, for the moon was full.")
	require.Contains(t, text, "the services did 0.50 of what the monolith did")
	for _, heading := range []string{"## Budgets", "## Sweep", "## Latency at a fixed rate", "## From commit to effect", "## Page by page", "## Limits"} {
		require.Contains(t, text, heading)
	}
	links := regexp.MustCompile(`\]\(([a-z0-9.-]+)\)`).FindAllStringSubmatch(text, -1)
	require.Greater(t, len(links), 5)
	for _, link := range links {
		require.FileExists(t, filepath.Join(folder, link[1]))
	}
	packed, err := os.ReadFile(filepath.Join(folder, "raw.jsonl.gz"))
	require.NoError(t, err)
	unpacked, err := gzip.NewReader(bytes.NewReader(packed))
	require.NoError(t, err)
	raw, err := io.ReadAll(unpacked)
	require.NoError(t, err)
	require.Equal(t, "{}\n", string(raw))

	require.Error(t, CheckName("../up"))
	require.NoError(t, CheckName("2026-11-first"))
}

func TestRawLines(t *testing.T) {
	t.Parallel()
	var lines bytes.Buffer
	r := &runner{options: Options{Raw: &lines}, began: time.Now()}
	done := aRound(10)
	require.NoError(t, r.raw(done.line(&side{name: up.Monolith}, workload.Mixes[0])))
	whole := aReport()
	whole.Annexes = []Annex{{Name: "limits", Figures: "as measured"}}
	require.NoError(t, whole.WriteLine(&lines))
	decode := json.NewDecoder(&lines)
	var round, report map[string]any
	require.NoError(t, decode.Decode(&round))
	require.NoError(t, decode.Decode(&report))
	require.Equal(t, "round", round["line"])
	require.EqualValues(t, 10, round["requests"])
	require.NotEmpty(t, round["latency_us_hdr"])
	require.Equal(t, "report", report["line"])
	require.Contains(t, report, "sides")
	require.Contains(t, report, "annexes", "the last line is the whole report")
}

func TestWork(t *testing.T) {
	t.Parallel()
	c := newCounted()
	c.sql = map[string]sqlCount{"orders_app": {30, 10, 50, 4000}, "monolith_app": {99, 0, 99, 99}}
	c.served = map[string]int64{"gateway": 10, "orders": 10, "inventory": 5, up.Monolith: 77}
	c.server = serverCount{wal: 9000, writes: 20}
	c.events = eventCount{published: 5, delivered: 15}
	seen := workload.NewTally()
	seen.Requests, seen.Sent, seen.Received = 10, 1000, 5000
	seen.Visits[workload.BuyConfirm].Count, seen.Refused["sold-out"] = 3, 1

	w := workOf(up.Services, c, seen)
	require.Equal(t, map[string]SQLWork{"orders": {3, 1, 5, 400}}, w.SQL)
	require.Equal(t, map[string]float64{"gateway": 1, "orders": 1, "inventory": 0.5}, w.Hops)
	require.InDelta(t, 2.5, w.HopsTotal, 1e-9)
	require.InDelta(t, 0.2, w.Charges, 1e-9)
	require.InDelta(t, 900, w.WAL, 1e-9)
	require.InDelta(t, 2.5+0.2+0.5+1.5+3+1, w.RoundTrips, 1e-9)
	require.InDelta(t, 500, w.Received, 1e-9)

	require.Zero(t, workOf(up.Monolith, c, seen).Published, "the monolith has no events")
}

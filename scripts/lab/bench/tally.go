package bench

import (
	"maps"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Latencies are kept in microseconds, with an error of less than 1 %.
const (
	longestLatency    = int64(answerWithin/time.Microsecond) + 1_000_000
	significantDigits = 3
)

// tally counts what one browser, or all of a round's, saw.
type tally struct {
	visits   [interactions]int64
	spent    [interactions]time.Duration
	requests int64
	// refused are answers that say no and are right to: order-pending, sold-out.
	refused map[string]int64
	pending int64 // 202: bought, and not settled within the request
	errors  int64 // no answer, 5xx or 429
	wrong   int64 // an answer that must not be
	checked int64 // answers that were read and compared
	latency *hdrhistogram.Histogram
	// complaints describe the first errors and wrong answers.
	complaints []string
}

const mostComplaints = 3

func newTally() *tally {
	return &tally{
		refused: map[string]int64{},
		latency: hdrhistogram.New(1, longestLatency, significantDigits),
	}
}

func (t *tally) took(d time.Duration) {
	t.requests++
	_ = t.latency.RecordValue(min(max(d.Microseconds(), 1), longestLatency)) // always in range
}

func (t *tally) complain(text string) {
	if len(t.complaints) < mostComplaints && !slices.Contains(t.complaints, text) {
		t.complaints = append(t.complaints, text)
	}
}

// add makes the other's counts part of this one's.
func (t *tally) add(other *tally) {
	for i := range t.visits {
		t.visits[i] += other.visits[i]
		t.spent[i] += other.spent[i]
	}
	t.requests += other.requests
	for code, n := range other.refused {
		t.refused[code] += n
	}
	t.pending += other.pending
	t.errors += other.errors
	t.wrong += other.wrong
	t.checked += other.checked
	t.latency.Merge(other.latency)
	for _, text := range other.complaints {
		t.complain(text)
	}
}

func (t *tally) allVisits() (n int64) {
	for _, count := range t.visits {
		n += count
	}
	return n
}

// percentile is a latency in milliseconds.
func (t *tally) percentile(p float64) float64 {
	return float64(t.latency.ValueAtQuantile(p)) / 1000
}

// refusals is a copy of the refused answers' counts; nil if there are none.
func (t *tally) refusals() map[string]int64 {
	if len(t.refused) == 0 {
		return nil
	}
	return maps.Clone(t.refused)
}

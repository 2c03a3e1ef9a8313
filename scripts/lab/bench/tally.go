package bench

import (
	"maps"
	"math"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"banyan/scripts/lab/shop"
)

// Latencies are kept in microseconds. Those of all requests are exact to one in a thousand; those of an
// interaction to one in a hundred, for there are many of these histograms.
const (
	longestLatency    = int64(shop.AnswerWithin/time.Microsecond) + 50_000_000 // with what an open loop's backlog adds
	significantDigits = 3
	digitsPerVisit    = 2
)

// tally counts what one browser, or all of a round's, saw.
type tally struct {
	visits   [interactions]visitTally
	requests int64
	// refused are answers that say no and are right to: order-pending, sold-out.
	refused map[string]int64
	pending int64 // 202: bought, and not settled within the request
	errors  int64 // no answer, 5xx or 429
	wrong   int64 // an answer that must not be
	checked int64 // answers that were read and compared
	latency *hdrhistogram.Histogram
	// Bytes that went through the browsers' connections, HTTP's own included.
	sent, received int64
	// Of an open loop: interactions that began when they should have as far as the side is concerned, and how many
	// of them the generator began too late.
	punctual, late int64
	// complaints describe the first errors and wrong answers.
	complaints []string
}

// visitTally is what one interaction came to.
type visitTally struct {
	count    int64
	requests int64
	errors   int64 // requests that failed
	spent    time.Duration
	latency  *hdrhistogram.Histogram // of whole interactions; nil until there is one
}

const mostComplaints = 3

func newTally() *tally {
	return &tally{
		refused: map[string]int64{},
		latency: hdrhistogram.New(1, longestLatency, significantDigits),
	}
}

// took counts a request and how long its answer took.
func (t *tally) took(d time.Duration) {
	t.requests++
	_ = t.latency.RecordValue(recordable(d)) // always in range
}

// visited counts an interaction.
func (t *tally) visited(i Interaction, d time.Duration, requests, errors int64) {
	v := &t.visits[i]
	v.count++
	v.requests += requests
	v.errors += errors
	v.spent += d
	if v.latency == nil {
		v.latency = hdrhistogram.New(1, longestLatency, digitsPerVisit)
	}
	_ = v.latency.RecordValue(recordable(d))
}

func recordable(d time.Duration) int64 { return min(max(d.Microseconds(), 1), longestLatency) }

func (t *tally) complain(text string) {
	if len(t.complaints) < mostComplaints && !slices.Contains(t.complaints, text) {
		t.complaints = append(t.complaints, text)
	}
}

// add makes the other's counts part of this one's.
func (t *tally) add(other *tally) {
	for i := range t.visits {
		t.visits[i].add(&other.visits[i])
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
	t.sent += other.sent
	t.received += other.received
	t.punctual += other.punctual
	t.late += other.late
	for _, text := range other.complaints {
		t.complain(text)
	}
}

func (v *visitTally) add(other *visitTally) {
	v.count += other.count
	v.requests += other.requests
	v.errors += other.errors
	v.spent += other.spent
	if other.latency == nil {
		return
	}
	if v.latency == nil {
		v.latency = hdrhistogram.New(1, longestLatency, digitsPerVisit)
	}
	v.latency.Merge(other.latency)
}

func (t *tally) allVisits() (n int64) {
	for i := range t.visits {
		n += t.visits[i].count
	}
	return n
}

// percentile is a latency in milliseconds.
func (t *tally) percentile(p float64) float64 { return percentile(t.latency, p) }

func percentile(h *hdrhistogram.Histogram, p float64) float64 {
	if h == nil {
		return 0
	}
	return float64(h.ValueAtQuantile(p)) / 1000
}

// lateShare is which part of the interactions the generator itself began too late.
func (t *tally) lateShare() float64 {
	if t.punctual == 0 {
		return 0
	}
	return float64(t.late) / float64(t.punctual)
}

// tooLate says whether the generator was late more often than it may be, and than chance makes of that in so few
// interactions (three standard deviations).
func (t *tally) tooLate() bool {
	allowed := mostLate * float64(t.punctual)
	return float64(t.late) > allowed+3*math.Sqrt(allowed)
}

// refusals is a copy of the refused answers' counts; nil if there are none.
func (t *tally) refusals() map[string]int64 {
	if len(t.refused) == 0 {
		return nil
	}
	return maps.Clone(t.refused)
}

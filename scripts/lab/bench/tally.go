package bench

import (
	"maps"
	"slices"
	"time"

	"banyan/scripts/lab/load"
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
	latency load.Latencies
	// Bytes that went through the browsers' connections, HTTP's own included.
	sent, received int64
	pace           load.Pace // of an open loop's interactions
	// complaints describe the first errors and wrong answers.
	complaints []string
}

// visitTally is what one interaction came to.
type visitTally struct {
	count    int64
	requests int64
	errors   int64 // requests that failed
	spent    time.Duration
	latency  load.Latencies // of whole interactions
}

const mostComplaints = 3

func newTally() *tally {
	t := &tally{refused: map[string]int64{}}
	for i := range t.visits {
		t.visits[i].latency.Coarse = true // there are many of them
	}
	return t
}

// took counts a request and how long its answer took.
func (t *tally) took(d time.Duration) {
	t.requests++
	t.latency.Took(d)
}

// visited counts an interaction.
func (t *tally) visited(i Interaction, d time.Duration, requests, errors int64) {
	v := &t.visits[i]
	v.count++
	v.requests += requests
	v.errors += errors
	v.spent += d
	v.latency.Took(d)
}

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
	t.latency.Add(&other.latency)
	t.sent += other.sent
	t.received += other.received
	t.pace.Add(&other.pace)
	for _, text := range other.complaints {
		t.complain(text)
	}
}

func (v *visitTally) add(other *visitTally) {
	v.count += other.count
	v.requests += other.requests
	v.errors += other.errors
	v.spent += other.spent
	v.latency.Add(&other.latency)
}

func (t *tally) allVisits() (n int64) {
	for i := range t.visits {
		n += t.visits[i].count
	}
	return n
}

// percentile is a latency in milliseconds.
func (t *tally) percentile(p float64) float64 { return percentile(&t.latency, p) }

func percentile(l *load.Latencies, p float64) float64 {
	return float64(l.Percentile(p).Microseconds()) / 1000
}

// refusals is a copy of the refused answers' counts; nil if there are none.
func (t *tally) refusals() map[string]int64 {
	if len(t.refused) == 0 {
		return nil
	}
	return maps.Clone(t.refused)
}

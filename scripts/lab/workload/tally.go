package workload

import (
	"slices"
	"time"

	"banyan/scripts/lab/load"
)

// Tally is what one browser, or several, saw. One goroutine at a time may use it.
type Tally struct {
	Visits   [Interactions]VisitTally
	Requests int64
	// Refused are answers that say no and are right to: order-pending, sold-out.
	Refused map[string]int64
	Pending int64 // 202: bought, and not settled within the request
	Errors  int64 // no answer, 5xx or 429
	Wrong   int64 // an answer that must not be
	Checked int64 // answers that were read and compared
	Latency load.Latencies
	// Sent and Received are the bytes that went through the connections of the browsers that have left, HTTP's own included.
	Sent, Received int64
	Pace           load.Pace // of an open loop's interactions
	// Complaints describe the first errors and wrong answers.
	Complaints []string
}

// VisitTally is what one interaction came to.
type VisitTally struct {
	Count    int64
	Requests int64
	Errors   int64 // requests that failed
	Spent    time.Duration
	Latency  load.Latencies // of whole interactions
}

// MostComplaints is how many are kept.
const MostComplaints = 3

// NewTally is an empty one.
func NewTally() *Tally {
	t := &Tally{Refused: map[string]int64{}}
	for i := range t.Visits {
		t.Visits[i].Latency.Coarse = true // there are many of them
	}
	return t
}

// Took counts a request and how long its answer took.
func (t *Tally) Took(d time.Duration) {
	t.Requests++
	t.Latency.Took(d)
}

// Visited counts an interaction.
func (t *Tally) Visited(i Interaction, d time.Duration, requests, errors int64) {
	v := &t.Visits[i]
	v.Count++
	v.Requests += requests
	v.Errors += errors
	v.Spent += d
	v.Latency.Took(d)
}

// Complain keeps what was amiss, if it is among the first.
func (t *Tally) Complain(text string) {
	if len(t.Complaints) < MostComplaints && !slices.Contains(t.Complaints, text) {
		t.Complaints = append(t.Complaints, text)
	}
}

// Add makes the other's counts part of this one's.
func (t *Tally) Add(other *Tally) {
	for i := range t.Visits {
		t.Visits[i].add(&other.Visits[i])
	}
	t.Requests += other.Requests
	for code, n := range other.Refused {
		t.Refused[code] += n
	}
	t.Pending += other.Pending
	t.Errors += other.Errors
	t.Wrong += other.Wrong
	t.Checked += other.Checked
	t.Latency.Add(&other.Latency)
	t.Sent += other.Sent
	t.Received += other.Received
	t.Pace.Add(&other.Pace)
	for _, text := range other.Complaints {
		t.Complain(text)
	}
}

func (v *VisitTally) add(other *VisitTally) {
	v.Count += other.Count
	v.Requests += other.Requests
	v.Errors += other.Errors
	v.Spent += other.Spent
	v.Latency.Add(&other.Latency)
}

// AllVisits is how many interactions there were.
func (t *Tally) AllVisits() (n int64) {
	for i := range t.Visits {
		n += t.Visits[i].Count
	}
	return n
}

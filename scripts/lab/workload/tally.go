package workload

import (
	"slices"
	"sync"
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
	// Failures are the errors and the wrong answers, by reason, such as "503 unavailable".
	Failures map[string]int64
	Checked  int64 // answers that were read and compared
	Latency  load.Latencies
	// Sent and Received are the bytes that went through the connections of the browsers that have left, HTTP's own included.
	Sent, Received int64
	Pace           load.Pace // of an open loop's interactions
	// Complaints describe the first errors and wrong answers.
	Complaints []Complaint
}

// Complaint is an error or a wrong answer, with the request.
type Complaint struct {
	At    time.Time // for the first time
	Text  string
	Times int64
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
const MostComplaints = 50

// NewTally is an empty one.
func NewTally() *Tally {
	t := &Tally{Refused: map[string]int64{}, Failures: map[string]int64{}}
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

// failed counts a request that was not served.
func (t *Tally) failed(reason, text string) {
	t.Errors++
	t.Failures[reason]++
	t.Complain(Complaint{time.Now(), text, 1})
}

// wrong counts an answer that must not be.
func (t *Tally) wrong(reason, text string) {
	t.Wrong++
	t.Failures[reason]++
	t.Complain(Complaint{time.Now(), text, 1})
}

// Complain keeps what was amiss, if it is among the first.
func (t *Tally) Complain(c Complaint) {
	at := slices.IndexFunc(t.Complaints, func(other Complaint) bool { return other.Text == c.Text })
	switch {
	case at >= 0:
		t.Complaints[at].Times += c.Times
	case len(t.Complaints) < MostComplaints:
		t.Complaints = append(t.Complaints, c)
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
	for reason, n := range other.Failures {
		t.Failures[reason] += n
	}
	for _, c := range other.Complaints {
		t.Complain(c)
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

// notes are a tally that one browser writes while others may take it away.
type notes struct {
	mu    sync.Mutex
	tally *Tally
}

func newNotes() *notes { return &notes{tally: NewTally()} }

func (n *notes) note(what func(*Tally)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	what(n.tally)
}

// cutAll takes what was noted, everywhere at the same moment, and has all begin anew.
func cutAll(all []*notes) (noted []*Tally, at time.Time) {
	for _, n := range all {
		n.mu.Lock()
		defer n.mu.Unlock()
	}
	for _, n := range all {
		noted = append(noted, n.tally)
		n.tally = NewTally()
	}
	return noted, time.Now()
}

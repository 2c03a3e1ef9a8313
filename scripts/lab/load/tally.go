package load

import (
	"errors"
	"fmt"
	"time"
)

// Tally is what came of requests. The zero value is empty. One goroutine at a time may count in it.
type Tally struct {
	Served   Latencies // of the answers that were as they had to be
	Refused  Latencies // of the answers that say: not now
	Declined int64     // answers that say no, and are right to
	Failed   int64     // anything else, and turns that could not be taken
	First    error     // why the first of these failed
	Pace
	Took  time.Duration // from the first request to the last answer
	kinds map[string]*Latencies
}

// Serve counts a request that was served. A kind is no more than a name; where there is only one, it may be empty.
func (t *Tally) Serve(kind string, took time.Duration) {
	t.Served.Took(took)
	if kind != "" {
		t.Kind(kind).Took(took)
	}
}

// Kind is what was served of one kind.
func (t *Tally) Kind(name string) *Latencies {
	of := t.kinds[name]
	if of == nil {
		if t.kinds == nil {
			t.kinds = map[string]*Latencies{}
		}
		of = &Latencies{}
		t.kinds[name] = of
	}
	return of
}

// Fail counts a request that was not served, for a reason that it should not have been.
func (t *Tally) Fail(why error) {
	t.Failed++
	if t.First == nil {
		t.First = why
	}
}

// Add makes the other's requests part of this one's, as if one round had followed the other.
func (t *Tally) Add(other *Tally) {
	t.Served.Add(&other.Served)
	for name, of := range other.kinds {
		t.Kind(name).Add(of)
	}
	t.Refused.Add(&other.Refused)
	t.Declined += other.Declined
	t.Failed += other.Failed
	if t.First == nil {
		t.First = other.First
	}
	t.Pace.Add(&other.Pace)
	t.Took += other.Took
}

// Requests are all of them.
func (t *Tally) Requests() int64 { return t.Served.Count() + t.Refused.Count() + t.Declined + t.Failed }

// Rate is how many were served in a second.
func (t *Tally) Rate() float64 { return float64(t.Served.Count()) / t.Took.Seconds() }

// Good is an error if more than one request in a thousand failed: then the figures are worth nothing.
func (t *Tally) Good() error {
	switch all := t.Requests(); {
	case all == 0:
		return errors.New("nothing was answered")
	case t.Failed*1000 > all:
		return fmt.Errorf("%d of %d requests failed, the first because %w", t.Failed, all, t.First)
	}
	return nil
}

package overload

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"banyan/scripts/lab/load"
	"banyan/scripts/lab/shop"
)

// answerWithin is how long a customer waits for an answer; longer than the shop may take for one.
const answerWithin = 15 * time.Second

// atOnce is how soon a door refuses, as long as its processor is not overrun: whatever else refuses has waited for seconds.
const atOnce = 500 * time.Millisecond

// errCrowded is a limit of the generator's own, as is the one on requests under way.
var errCrowded = errors.New("the generator ran out of customers")

// mostUnderWay is how many requests the generator keeps under way, each on a connection of its own.
const mostUnderWay = 2000

// answer is what came of a request.
type answer struct {
	shop.Answer
	err error
}

func (a answer) String() string {
	if a.err != nil {
		return a.err.Error()
	}
	return a.Answer.String()
}

// outcome is what an answer means to the customer.
type outcome int

const (
	accepted outcome = iota // it was served
	said4xx                 // it was read and declined, as the contract says
	refused                 // told to come back, as it should be
	failed                  // anything else
)

// judge sorts an answer. A refusal counts as one only if it says when to come back, in a problem.
func (a answer) judge() outcome {
	switch {
	case a.err != nil:
		return failed
	case a.Status < 300:
		return accepted
	case a.Status == http.StatusTooManyRequests, a.Status == http.StatusServiceUnavailable:
		if seconds, err := strconv.Atoi(a.RetryAfter()); err == nil && seconds > 0 && a.ContentType() == "application/problem+json" {
			return refused
		}
		return failed
	case a.Status == http.StatusConflict, a.Status == http.StatusUnprocessableEntity:
		return said4xx
	}
	return failed
}

// tally is what came of a phase.
type tally struct {
	mu sync.Mutex
	load.Tally
	window   time.Duration    // the part of the phase that counts as goodput
	left     time.Duration    // of it, without the part that the customers took of the shop's processors
	done     map[string]int64 // served in the window, by kind
	refused  map[string]int   // by kind
	shed     int              // refused at once
	failures map[string]int
}

func newTally() *tally {
	return &tally{failures: map[string]int{}, refused: map[string]int{}, done: map[string]int64{}}
}

func (t *tally) note(kind string, a answer, turn load.Turn) {
	o, took := a.judge(), time.Since(turn.Due)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.Keep(turn)
	switch o {
	case accepted:
		t.Serve(kind, took)
	case said4xx:
		t.Declined++
	case refused:
		t.Refused.Took(took)
		t.refused[kind]++
		if took < atOnce {
			t.shed++
		}
	case failed:
		t.Failed++
		t.failures[fmt.Sprintf("%s: %s", kind, a)]++
	}
}

// serve counts an answer that came within the window, if it is one.
func (t *tally) serve(kind string, a answer, w *window) {
	if a.judge() != accepted || !w.now() {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done[kind]++
}

// merge adds what another phase of the same sort has brought.
func (t *tally) merge(other *tally) {
	t.Add(&other.Tally)
	t.window += other.window
	t.left += other.left
	for kind, n := range other.done {
		t.done[kind] += n
	}
	t.shed += other.shed
	for kind, n := range other.refused {
		t.refused[kind] += n
	}
	for what, n := range other.failures {
		t.failures[what] += n
	}
}

// closed keeps so many customers busy, each asking again as soon as there is an answer. What is answered in the first moments
// does not count for goodput, here and in atRate: the shop is still empty.
func (s *crowd) closed(ctx context.Context, customers int, during time.Duration) *tally {
	t := newTally()
	w := s.where.open(noticing, noticing+during)
	one := func(ctx context.Context, turn load.Turn) {
		kind, a := s.ask(ctx, pickKind())
		t.note(kind, a, turn)
		t.serve(kind, a, w)
	}
	t.Took = load.Plan{Length: noticing + during}.Run(ctx, slices.Repeat([]load.Client{one}, customers)...)
	t.window, t.left = during, w.left()
	return t
}

// atRate asks so often a second, whether or not there are answers, and measures from when each was due. What was due in the
// moments left out counts neither for goodput nor for the time that answers take: for so long a door needs to see that it
// is overrun.
func (s *crowd) atRate(ctx context.Context, rate float64, leaveOut, during time.Duration, ask func() (string, answer)) *tally {
	t := newTally()
	w := s.where.open(leaveOut, leaveOut+during)
	load.Plan{Rate: rate, Length: leaveOut + during}.Each(ctx, mostUnderWay, func(_ context.Context, turn load.Turn) {
		kind, a := "", answer{err: turn.Err}
		if turn.Err == nil {
			kind, a = ask()
		}
		t.serve(kind, a, w)
		if turn.Due.Sub(w.began) >= leaveOut {
			t.note(kind, a, turn)
		}
	})
	t.Took = leaveOut + during
	t.window, t.left = during, w.left()
	return t
}

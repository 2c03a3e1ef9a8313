package overload

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"banyan/scripts/lab/shop"
)

// answerWithin is how long a customer waits for an answer; longer than the shop may take for one.
const answerWithin = 15 * time.Second

// errCrowded is the generator's own limit: it has no customer left, or more requests under way than it can keep.
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
	mu       sync.Mutex
	took     time.Duration
	timed    time.Duration              // the part of it whose answers are in times
	done     int                        // accepted, and served before the phase ended
	times    map[string][]time.Duration // of the accepted, by kind
	refusals []time.Duration
	counts   [failed + 1]int
	late     int // sent more than lateBy after they were due
	failures map[string]int
}

const lateBy = 100 * time.Millisecond

func newTally() *tally {
	return &tally{times: map[string][]time.Duration{}, failures: map[string]int{}}
}

func (t *tally) note(kind string, a answer, took, late time.Duration) {
	o := a.judge()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts[o]++
	if late > lateBy {
		t.late++
	}
	switch o {
	case accepted:
		t.times[kind] = append(t.times[kind], took)
	case refused:
		t.refusals = append(t.refusals, took)
	case failed:
		t.failures[fmt.Sprintf("%s: %s", kind, a)]++
	}
}

// merge adds what another phase of the same sort has brought.
func (t *tally) merge(other *tally) {
	t.took += other.took
	t.timed += other.timed
	t.done += other.done
	for kind, times := range other.times {
		t.times[kind] = append(t.times[kind], times...)
	}
	t.refusals = append(t.refusals, other.refusals...)
	for i, n := range other.counts {
		t.counts[i] += n
	}
	t.late += other.late
	for what, n := range other.failures {
		t.failures[what] += n
	}
}

// closed keeps so many customers busy, each asking again as soon as there is an answer.
func (s *crowd) closed(ctx context.Context, customers int, during time.Duration) *tally {
	t := newTally()
	began := time.Now()
	var all sync.WaitGroup
	for range customers {
		all.Go(func() {
			for time.Since(began) < during && ctx.Err() == nil {
				asked := time.Now()
				kind, a := s.ask(ctx, pickKind())
				t.note(kind, a, time.Since(asked), 0)
			}
		})
	}
	all.Wait()
	t.took, t.done = time.Since(began), t.counts[accepted]
	t.timed = t.took
	return t
}

// atRate asks so often a second, whether or not there are answers, and measures from when each was due. Goodput is what
// was served while it asked. What was due in the first moments counts for that, but not for the time that answers
// take: for so long a door needs to see that it is overrun.
func (s *crowd) atRate(ctx context.Context, rate float64, during, leaveOut time.Duration, ask func() (string, answer)) *tally {
	t := newTally()
	began := time.Now()
	var all sync.WaitGroup
	var underWay, done atomic.Int64
	every := time.Duration(float64(time.Second) / rate)
	for n := 0; ; n++ {
		due := began.Add(time.Duration(n) * every)
		if due.Sub(began) >= during || ctx.Err() != nil {
			break
		}
		if wait := time.Until(due); wait > 0 {
			time.Sleep(wait)
		}
		late := time.Since(due)
		counts := due.Sub(began) >= leaveOut
		if underWay.Add(1) > mostUnderWay {
			underWay.Add(-1)
			if counts {
				t.note("", answer{err: errCrowded}, 0, late)
			}
			continue
		}
		all.Go(func() {
			defer underWay.Add(-1)
			kind, a := ask()
			if a.judge() == accepted && time.Since(began) < during {
				done.Add(1)
			}
			if counts {
				t.note(kind, a, time.Since(due), late)
			}
		})
	}
	t.took = time.Since(began)
	t.timed = t.took - leaveOut
	all.Wait()
	t.done = int(done.Load())
	return t
}

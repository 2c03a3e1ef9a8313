package rolling

import (
	"fmt"
	"sync"
	"time"

	"banyan/scripts/lab/shop"
)

// Phase is a part of the run, and what the customers noticed of it.
type Phase struct {
	Name     string        `json:"name"`
	Took     time.Duration `json:"took_ns"`
	Requests int           `json:"requests"`
	Failed   int           `json:"failed"`
	// Unanswered got no definite answer where that was to be expected: the process that had the request was killed, or
	// stood still.
	Unanswered int           `json:"unanswered"`
	Slowest    time.Duration `json:"slowest_ns"`
	SlowestOf  string        `json:"slowest_of,omitempty"`
	Restarts   []Restart     `json:"restarts,omitempty"`
	Notes      []string      `json:"notes,omitempty"` // what else there is to say

	forgiving bool
}

// Restart is one process that was asked to stop, and started again.
type Restart struct {
	Process string        `json:"process"`
	Stop    time.Duration `json:"stop_ns"`  // from SIGTERM until it was gone
	Start   time.Duration `json:"start_ns"` // until it was ready again
}

// Failure is an answer that is not what it should be.
type Failure struct {
	At      time.Time `json:"at"`
	Phase   string    `json:"phase"`
	Request string    `json:"request"`
	What    string    `json:"what"`
}

// maxFailures is how many are kept.
const maxFailures = 50

// book is where everybody writes down what happened.
type book struct {
	mu       sync.Mutex
	phases   []*Phase
	failures []Failure
}

func (b *book) begin(name string, forgiving bool) *Phase {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := &Phase{Name: name, forgiving: forgiving}
	b.phases = append(b.phases, p)
	return p
}

// now is the phase that goes on.
func (b *book) now() *Phase {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.phases[len(b.phases)-1]
}

// note writes down a request, which belongs to the phase in which it began. A problem that is not nil is a failure,
// unless the shop had said nothing definite and the phase forgives that. It returns whether all is well.
func (b *book) note(p *Phase, r shop.Request, began time.Time, unanswered bool, problem error) bool {
	took := time.Since(began)
	b.mu.Lock()
	defer b.mu.Unlock()
	p.Requests++
	switch {
	case problem == nil:
	case unanswered && (p.forgiving || b.phases[len(b.phases)-1].forgiving):
		p.Unanswered++
		return false
	default:
		p.Failed++
		if len(b.failures) < maxFailures {
			b.failures = append(b.failures, Failure{began, p.Name, r.String(), problem.Error()})
		}
		return false
	}
	if took > p.Slowest {
		p.Slowest, p.SlowestOf = took, r.Method+" "+shape(r.Path)
	}
	return true
}

// fail writes down something that is not about one request.
func (b *book) fail(p *Phase, subject string, problem error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p.Failed++
	b.failures = append(b.failures, Failure{time.Now(), p.Name, subject, problem.Error()})
}

func (b *book) say(p *Phase, format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p.Notes = append(p.Notes, fmt.Sprintf(format, args...))
}

func (b *book) restarted(p *Phase, r Restart) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p.Restarts = append(p.Restarts, r)
}

// count is how many requests were made, and how many failed.
func (b *book) count() (requests, failed int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.phases {
		requests += p.Requests
		failed += p.Failed
	}
	return requests, failed
}

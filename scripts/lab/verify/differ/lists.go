package differ

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// lists says what a shop may remember of the lists of books that somebody has asked for.
type lists struct {
	asked time.Time // for the last of them
	old   bool      // something was written since then
}

// note takes down what a step does to what is remembered of lists like these.
func (l *lists) note(s Step, shared bool) {
	switch {
	case s.list() && s.Shared == shared:
		*l = lists{asked: time.Now()}
	case s.writes():
		l.old = true
	}
}

// remembers is how much longer a shop may answer the next step of a sequence by what it remembers from before a write;
// zero or less is no longer. Only the sequence itself asks for lists of its own books and changes what is in them;
// everybody does that with those that are shared.
func (r *runner) remembers(s *sequence) time.Duration {
	step, last := s.steps[s.next], s.lists
	if step.Shared {
		last = r.lists
	}
	if !step.list() || !last.old {
		return 0
	}
	return time.Until(last.asked.Add(r.ListsFor))
}

// list says whether the step asks for a list of books, but for one by ids: that is never remembered.
func (s Step) list() bool {
	path, query, _ := strings.Cut(s.Path, "?")
	if s.Method != http.MethodGet || path != "/v1/books" {
		return false
	}
	asked, _ := url.ParseQuery(query) // what can't be read is asked for, too
	return asked.Get("ids") == ""
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

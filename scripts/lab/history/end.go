package history

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"banyan/scripts/lab/invariants"
)

// Counts say what customers have done, as they know it.
type Counts struct {
	Checkouts int            `json:"checkouts"` // each under a key of its own
	Requests  int            `json:"requests"`  // sent for them
	Unknown   int            `json:"unknown"`   // of these, without an answer, or with one that says nothing
	Outcomes  map[string]int `json:"outcomes"`  // of the checkouts
}

// Counts are those of all customers.
func (h *History) Counts() Counts {
	c := Counts{Outcomes: map[string]int{}}
	for _, a := range h.Attempts {
		c.Checkouts++
		c.Requests += a.Sent
		c.Unknown += a.Unknown
		c.Outcomes[a.Outcome]++
	}
	return c
}

// Judgement is what is found when the last customer has left.
type Judgement struct {
	Rest       time.Duration        `json:"rest_ns"`        // until nothing was under way
	Last       []string             `json:"last,omitempty"` // what was waited for in the end
	Invariants []invariants.Verdict `json:"invariants"`
	Violations []Violation          `json:"violations"`
}

// Judge lets a shop come to rest, and holds it to the invariants and to what its customers were told. The moment from which
// on all mail was kept has to be the one before the first checkout.
func (h *History) Judge(ctx context.Context, where invariants.Where, within time.Duration) (*Judgement, *invariants.Facts, error) {
	judges, err := invariants.Open(ctx, where)
	if err != nil {
		return nil, nil, err
	}
	defer judges.Close()
	began := time.Now()
	left, last, err := judges.Settle(ctx, within)
	if err != nil {
		return nil, nil, err
	}
	j := &Judgement{Rest: time.Since(began), Last: last}
	facts, err := judges.Facts(ctx)
	if err != nil {
		return nil, nil, err
	}
	if j.Invariants, err = judges.Check(ctx); err != nil {
		return nil, nil, err
	}
	found := h.judge(facts)
	for _, what := range left {
		found.Add("the shop comes to rest by itself", "%s", what)
	}
	j.Violations = found.All
	return j, facts, nil
}

// Broken are the invariants that do not hold.
func (j *Judgement) Broken() []invariants.Verdict {
	return slices.DeleteFunc(slices.Clone(j.Invariants), func(v invariants.Verdict) bool { return v.Broken == 0 })
}

// Passed says that nothing was off.
func (j *Judgement) Passed() bool { return len(j.Violations) == 0 && len(j.Broken()) == 0 }

// Reason is one line on what was off first; empty if nothing was.
func (j *Judgement) Reason() string {
	for _, v := range j.Violations {
		return v.Rule + " (" + v.Detail + ")"
	}
	for _, v := range j.Broken() {
		return v.Rule + " (" + strings.Join(v.Offenders[:min(1, len(v.Offenders))], "") + ")"
	}
	return ""
}

// PrintOff writes what is off.
func (j *Judgement) PrintOff(out io.Writer) error {
	if len(j.Broken()) > 0 {
		if err := invariants.Print(out, j.Invariants); err != nil {
			return err
		}
		if len(j.Violations) == 0 {
			_, err := fmt.Fprintln(out)
			return err
		}
	}
	return PrintVerdict(out, j.Violations)
}

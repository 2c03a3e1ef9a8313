package budget

import (
	"fmt"
	"math"
)

// Result is a value held against its budget.
type Result struct {
	Value float64 `json:"value"`
	// Range is in which the true value lies, as far as the run can tell; nil for a value that is counted, or measured once.
	Range   *[2]float64 `json:"range,omitempty"`
	Budget  float64     `json:"budget"`
	Stretch *float64    `json:"stretch,omitempty"`
	Rule    Rule        `json:"rule"` // how the value has to be to the budget: at least, at most, about
	// Met is nil where the run cannot tell: the range holds the budget. StretchMet likewise, and nil without a stretch.
	Met        *bool `json:"met"`
	StretchMet *bool `json:"stretch_met,omitempty"`
}

// Verdict is the result in words.
func (r Result) Verdict() string {
	switch {
	case r.Met == nil && r.Range == nil:
		return "too few rounds to call"
	case r.Met == nil:
		return "too close to call"
	case !*r.Met:
		return "MISSED"
	case r.StretchMet != nil && *r.StretchMet:
		return "met, stretch too"
	}
	return "met"
}

// Results are a run's, by key. As JSON they are
//
//	{"1": {"value": 0.62, "budget": 0.4, "stretch": 0.65, "rule": "at least", "met": true, "stretch_met": false}, …}
type Results map[string]Result

// Add judges a value and keeps the verdict. A key that is not in the table is an error, and so is a value that is no
// finite number: JSON has no word for it, and it means that nothing was measured.
func (r Results) Add(key string, value float64) error {
	line, err := find(key, value)
	if err == nil {
		r[key] = line.Judge(value)
	}
	return err
}

// AddBetween is Add for a value that lies somewhere between two others. Its budget is met only if both meet it.
func (r Results) AddBetween(key string, value, low, high float64) error {
	line, err := find(key, value, low, high)
	if err != nil {
		return err
	}
	result, a, b := line.Judge(value), line.Judge(low), line.Judge(high)
	result.Range = &[2]float64{low, high}
	result.Met, result.StretchMet = agreed(result.Met, a.Met, b.Met), agreed(result.StretchMet, a.StretchMet, b.StretchMet)
	r[key] = result
	return nil
}

// AddUnjudged keeps a value of which nobody knows how far it is from the true one.
func (r Results) AddUnjudged(key string, value float64) error {
	line, err := find(key, value)
	if err != nil {
		return err
	}
	result := line.Judge(value)
	result.Met, result.StretchMet = nil, nil
	r[key] = result
	return nil
}

// agreed is what all of the verdicts say; nil if they do not say the same.
func agreed(first *bool, others ...*bool) *bool {
	for _, other := range others {
		if first == nil || other == nil || *other != *first {
			return nil
		}
	}
	return first
}

func find(key string, values ...float64) (Line, error) {
	line, err := Find(key)
	for _, value := range values {
		if err == nil && (math.IsNaN(value) || math.IsInf(value, 0)) {
			err = fmt.Errorf("budget %s: %v is no measurement", key, value)
		}
	}
	return line, err
}

// Lines are those of the table that have a result, in the table's order.
func (r Results) Lines() []Line {
	var measured []Line
	for _, line := range Table {
		if _, ok := r[line.Key()]; ok {
			measured = append(measured, line)
		}
	}
	return measured
}

// Missed are the lines whose budget was not met, in the table's order. One that is too close to call is none of them.
func (r Results) Missed() []Line {
	var missed []Line
	for _, line := range r.Lines() {
		if met := r[line.Key()].Met; met != nil && !*met {
			missed = append(missed, line)
		}
	}
	return missed
}

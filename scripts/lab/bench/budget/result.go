package budget

import (
	"fmt"
	"math"
)

// Result is a value held against its budget.
type Result struct {
	Value      float64  `json:"value"`
	Budget     float64  `json:"budget"`
	Stretch    *float64 `json:"stretch,omitempty"`
	Rule       Rule     `json:"rule"` // how the value has to be to the budget: at least, at most, about
	Met        bool     `json:"met"`
	StretchMet bool     `json:"stretch_met,omitempty"`
}

// Results are a run's, by key. As JSON they are
//
//	{"1": {"value": 0.62, "budget": 0.4, "stretch": 0.65, "rule": "at least", "met": true}, …}
type Results map[string]Result

// Add judges a value and keeps the verdict. A key that is not in the table is an error, and so is a value that is no
// finite number: JSON has no word for it, and it means that nothing was measured.
func (r Results) Add(key string, value float64) error {
	line, err := Find(key)
	if err != nil {
		return err
	}
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return fmt.Errorf("budget %s: %v is no measurement", key, value)
	}
	r[key] = line.Judge(value)
	return nil
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

// Missed are the lines whose budget was not met, in the table's order.
func (r Results) Missed() []Line {
	var missed []Line
	for _, line := range r.Lines() {
		if !r[line.Key()].Met {
			missed = append(missed, line)
		}
	}
	return missed
}

package budget

import (
	"fmt"
	"math"
	"strconv"
)

// Rule says on which side of its budget a value has to be.
type Rule string

const (
	AtLeast Rule = "at least"
	AtMost  Rule = "at most"
	About   Rule = "about"
)

// near is how far from a budget of the rule About a value may be, in shares of the budget: about the range
// in which the rounds of one run differ on a quiet machine.
const near = 0.10

// Line is one figure of the table of budgets.
type Line struct {
	Row  int    // its number in the table
	Part string // which of the row's figures; empty if it is the only one
	What string
	Unit string // of the value; empty: a ratio or a count
	Rule Rule

	Budget float64
	// Stretch is what would be very good; nil if nobody has said.
	Stretch *float64
}

// Key names the figure: "1", "4 browsing".
func (l Line) Key() string {
	if l.Part == "" {
		return strconv.Itoa(l.Row)
	}
	return strconv.Itoa(l.Row) + " " + l.Part
}

// Judge holds a value against the line.
func (l Line) Judge(value float64) Result {
	met := l.holds(value, l.Budget)
	result := Result{Value: value, Budget: l.Budget, Stretch: l.Stretch, Rule: l.Rule, Met: &met}
	if l.Stretch != nil {
		stretch := l.holds(value, *l.Stretch)
		result.StretchMet = &stretch
	}
	return result
}

// holds is false for a value that is no number, under every rule.
func (l Line) holds(value, limit float64) bool {
	switch l.Rule {
	case AtLeast:
		return value >= limit
	case AtMost:
		return value <= limit
	case About:
		return math.Abs(value-limit) <= near*math.Abs(limit)
	}
	panic("budget: line " + l.Key() + " has no rule")
}

// Find returns the line with this key.
func Find(key string) (Line, error) {
	for _, line := range Table {
		if line.Key() == key {
			return line, nil
		}
	}
	return Line{}, fmt.Errorf("there is no budget %q: the last row is %d", key, Table[len(Table)-1].Row)
}

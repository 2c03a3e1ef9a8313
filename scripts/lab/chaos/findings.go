package chaos

import "fmt"

// Violation is something that should not be.
type Violation struct {
	Rule   string `json:"rule"`   // what should be
	Detail string `json:"detail"` // what is
}

// findings are the violations found so far. None are an empty list, for JSON's sake.
type findings struct{ all []Violation }

func newFindings() findings { return findings{[]Violation{}} }

func (f *findings) add(rule, format string, args ...any) {
	f.all = append(f.all, Violation{rule, fmt.Sprintf(format, args...)})
}

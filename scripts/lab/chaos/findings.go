package chaos

import "fmt"

// Violation is something that should not be.
type Violation struct {
	Rule   string `json:"rule"`   // what should be
	Detail string `json:"detail"` // what is
}

// findings are the violations found so far.
type findings struct{ all []Violation }

func (f *findings) add(rule, format string, args ...any) {
	f.all = append(f.all, Violation{rule, fmt.Sprintf(format, args...)})
}

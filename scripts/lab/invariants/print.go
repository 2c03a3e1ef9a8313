package invariants

import (
	"fmt"
	"io"
	"strings"
)

// Print writes a line per rule, and the offenders under those that are broken.
func Print(out io.Writer, verdicts []Verdict) error {
	var text strings.Builder
	for _, v := range verdicts {
		if v.Broken == 0 {
			fmt.Fprintf(&text, "ok      %-82s %8d looked at\n", v.Rule, v.Checked)
			continue
		}
		fmt.Fprintf(&text, "BROKEN  %-82s %8d of %d\n", v.Rule, v.Broken, v.Checked)
		for _, offender := range v.Offenders {
			fmt.Fprintf(&text, "          %s\n", offender)
		}
		if more := v.Broken - int64(len(v.Offenders)); more > 0 {
			fmt.Fprintf(&text, "          and %d more\n", more)
		}
	}
	_, err := io.WriteString(out, text.String())
	return err
}

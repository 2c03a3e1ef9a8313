package race

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"banyan/scripts/lab/history"
)

// Print writes the report for people.
func (r *Report) Print(out io.Writer) error {
	fmt.Fprintf(out, "Race for the last copies: the %s at %s\n", r.Side, r.URL)
	table, row := history.NewTable(out)
	row("customers, a copy each", "%d at once, for %d copies, in %s", r.Buyers, r.Copies, r.Took.Round(time.Millisecond))
	row("paid orders", "%d", r.Paid)
	row("sold out", "%d at once, %d after a 202 (of %d)", r.SoldOut, r.SoldOutLater, r.Accepted)
	row("copies left", "%d", r.Stock)
	row("captured charges", "%d", r.Charges)
	row(fmt.Sprintf("one key, %d times at once", r.SameKey.Requests), "%d order, %d × %d %s, %d × 409 key-in-use", r.SameKey.Orders,
		r.SameKey.Answered, r.SameKey.First, http.StatusText(r.SameKey.First), r.SameKey.InUse)
	row("a repetition afterwards", "%s", either(r.SameKey.Repeated, "the same bytes", "something else"))
	if err := table.Flush(); err != nil {
		return err
	}
	return history.PrintVerdict(out, r.Violations)
}

func either(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}

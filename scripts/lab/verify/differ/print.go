package differ

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"banyan/scripts/lab/shop"
)

// mostShown is how many differences are printed in full.
const mostShown = 10

// textOf is an answer as it is shown: its status, the headers that are compared, and its body, indented.
func textOf(a shop.Answer) string {
	var text strings.Builder
	fmt.Fprintln(&text, a.Status)
	for _, name := range slices.Sorted(maps.Keys(a.Header)) {
		switch name {
		case "Content-Type", "Etag", "Location", "Retry-After", "Www-Authenticate", "Allow", "Cache-Control", "Vary":
			fmt.Fprintf(&text, "%s: %s\n", name, a.Header.Get(name))
		}
	}
	var indented bytes.Buffer
	if json.Indent(&indented, a.Body, "", "  ") == nil {
		text.Write(indented.Bytes())
	} else {
		text.WriteString(clip(string(a.Body), 2000))
	}
	return text.String()
}

// Print writes the verdict for people.
func (r *Result) Print(out io.Writer, sides [2]Side) error {
	var text strings.Builder
	fmt.Fprintf(&text, "%d requests in %d sequences of %d seeds from %d, to both sides, in %.0f s: %d differences\n",
		r.Requests, r.Sequences, r.Seeds, r.Seed, r.Seconds, len(r.Differences))
	fmt.Fprintf(&text, "answered with %s\n", r.statuses())
	if r.Unsettled > 0 {
		fmt.Fprintf(&text, "%d sequences ended early: one side took longer than a customer waits, and answered 202\n", r.Unsettled)
	}
	if r.Skipped > 0 {
		fmt.Fprintf(&text, "%d requests were left out: the sides' data were not equal when this began (lab up --fresh makes them so)\n",
			r.Skipped)
	}
	for i, d := range r.Differences {
		if i == mostShown {
			fmt.Fprintf(&text, "\nand %d more\n", len(r.Differences)-i)
			break
		}
		d.print(&text, sides)
	}
	_, err := io.WriteString(out, text.String())
	return err
}

// statuses counts the answers by status, as in "812 × 200".
func (r *Result) statuses() string {
	count := map[string]int{}
	for heard, n := range r.Answers {
		count[heard[strings.LastIndexByte(heard, ' ')+1:]] += n
	}
	var all []string
	for _, status := range slices.Sorted(maps.Keys(count)) {
		all = append(all, fmt.Sprintf("%d × %s", count[status], status))
	}
	return strings.Join(all, ", ")
}

func (d *Difference) print(text *strings.Builder, sides [2]Side) {
	fmt.Fprintf(text, "\nseed %d, sequence %d; again with:\n  go run ./scripts/lab verify --skip-contract --seeds 1 --seed %[1]d --requests %[3]d\n",
		d.Seed, d.Sequence, max(d.Sequence+1, 1)*perSequence)
	if !d.Settled {
		fmt.Fprintf(text, "the sequence as it was, not made smaller\n")
	}
	for _, step := range d.Steps {
		fmt.Fprintf(text, "  %s\n", step)
	}
	for _, what := range d.What {
		fmt.Fprintf(text, "  ≠ %s\n", what)
	}
	beside(text, sides[0].Name+"\n"+d.Answers[0], sides[1].Name+"\n"+d.Answers[1])
}

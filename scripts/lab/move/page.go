package move

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Print writes the record as Markdown: what was copied, whether it was equal, how long customers waited.
func (r *Record) Print(out io.Writer) error {
	p := &page{out: out}
	p.line("# The move of %s, step %d", r.Area, r.Step)
	if len(r.Stages) == 0 {
		p.line("\nNothing has happened yet.")
		return p.err
	}
	p.line("\n| stage | began | took | rows | rested | tool's memory | requests/s | p50 | p99 | PostgreSQL's CPU per request | failed |")
	p.line("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
	for _, s := range r.Stages {
		name := s.Name
		if s.Failed != "" {
			name += ", not to its end"
		}
		p.line("| %s | %s | %s | %s | %s | %s | %.0f | %s | %s | %s | %d |", name, s.At.Format(time.TimeOnly), seconds(s.Seconds), count(s.Rows),
			seconds(s.Rested), mib(s.Memory), s.Customers.Rate, ms(s.Customers.P50), ms(s.Customers.P99), ms(s.Customers.PostgreSQL), s.Customers.Failed)
	}
	r.printVerifications(p)
	PrintHandovers(p, r.Area, r.Handovers)
	return p.err
}

func (r *Record) printVerifications(p *page) {
	if len(r.Verifications) == 0 {
		return
	}
	last := r.Verifications[len(r.Verifications)-1]
	p.line("\nCompared %d times, last at %s: %s.", len(r.Verifications), last.At.Format(time.TimeOnly), last.Report)
	if len(last.Report.Checksums) == 0 {
		return
	}
	p.line("\n| table | rows | checksum, owner's side | checksum, other side |")
	p.line("|---|---:|---|---|")
	for _, c := range last.Report.Checksums {
		p.line("| %s | %d | `%s` | `%s` |", c.Table, c.Other.Rows, c.Owner.Hash, c.Other.Hash)
	}
}

// PrintHandovers writes a row for each handover of an area, with a heading of its own.
func PrintHandovers(out io.Writer, area string, all []Handover) {
	if len(all) == 0 {
		return
	}
	p := asPage(out)
	p.line("\n%s", HandoverHead)
	for _, h := range all {
		p.line("%s", h.Row(area))
	}
}

// HandoverHead is the head of a table of handovers.
const HandoverHead = "| area | direction | held | longest wait | failed | pause: drained + stopped + handed over + started | " +
	"p99 before | during | after | p50 before | during | after |\n" +
	"|---|---|---:|---:|---:|---|---:|---:|---:|---:|---:|---:|"

// Row is the handover's line in the table.
func (h Handover) Row(area string) string {
	direction := "out"
	if h.Back {
		direction = "back"
	}
	held, longest, failed := h.Held()
	pause := fmt.Sprintf("%s: %s + %s + %s + %s", seconds(h.Pause), seconds(h.Drained), seconds(h.Stopped), seconds(h.Handed), seconds(h.Started))
	cells := []string{area, direction, fmt.Sprint(held), ms(longest), fmt.Sprint(failed), pause,
		ms(h.Before.P99), ms(h.During.P99), ms(h.After.P99), ms(h.Before.P50), ms(h.During.P50), ms(h.After.P50)}
	return "| " + strings.Join(cells, " | ") + " |"
}

func seconds(s float64) string {
	if s == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f s", s)
}

func ms(v float64) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f ms", v)
}

func mib(v float64) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f MiB", v)
}

func count(n int64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// page writes lines until one fails.
type page struct {
	out io.Writer
	err error
}

func asPage(out io.Writer) *page {
	if p, ok := out.(*page); ok {
		return p
	}
	return &page{out: out}
}

func (p *page) Write(b []byte) (int, error) { return p.out.Write(b) }

func (p *page) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.out, format+"\n", args...)
	}
}

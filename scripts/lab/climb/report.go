package climb

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"banyan/scripts/lab/move"
	"banyan/scripts/lab/workload"
)

// Report is what a climb found.
type Report struct {
	At        time.Time      `json:"at"`
	Seconds   float64        `json:"seconds"`
	Rate      float64        `json:"interactions_per_second"`
	Seed      uint64         `json:"seed"`
	SeedSize  string         `json:"seed_size"`
	From      int            `json:"from_step"`
	MaxP99    string         `json:"max_p99,omitempty"`
	Kill      bool           `json:"kill"`
	Step      int            `json:"step"` // at the end
	Customers Customers      `json:"customers"`
	Moves     []*move.Record `json:"moves"`
	// Troubles are the commands in whose course somebody was killed, or a request failed.
	Troubles []Trouble `json:"troubles,omitempty"`
	// Lost is what customers had from before a switch, and could not use after it.
	Lost   []string `json:"lost,omitempty"`
	Judged string   `json:"judged,omitempty"` // what the invariants and the contract object to
}

// Customers is what they noticed, in all.
type Customers struct {
	Requests int64   `json:"requests"`
	Errors   int64   `json:"errors"` // answers that nobody should get, and requests without one
	Wrong    int64   `json:"wrong"`
	P50      float64 `json:"p50_ms"`
	P99      float64 `json:"p99_ms"`
	Longest  float64 `json:"longest_ms"`
	Late     float64 `json:"late_share"`
}

func customersOf(w *workload.Window) Customers {
	ms := func(p float64) float64 { return float64(w.Latency.Percentile(p).Microseconds()) / 1000 }
	c := Customers{
		Requests: w.Requests, Errors: w.Errors + w.Clerk.Errors, Wrong: w.Wrong + w.Clerk.Wrong,
		P50: ms(50), P99: ms(99), Longest: ms(100), Late: w.Pace.LateShare(),
	}
	return c
}

// Trouble is what customers noticed while a command was run, and run again.
type Trouble struct {
	Command string   `json:"command"`
	Killed  []string `json:"killed,omitempty"`
	Failed  int64    `json:"failed"`
	Away    float64  `json:"away_seconds"` // from the first failure to the last
	Reasons []string `json:"reasons,omitempty"`
}

// note keeps a command's window, if there is something to tell of it.
func (r *Report) note(command string, killed []string, w *workload.Window) {
	t := Trouble{Command: command, Killed: killed, Failed: w.Failed(), Reasons: w.Reasons()}
	if n := len(w.Complaints); n > 0 {
		t.Away = w.Complaints[n-1].At.Sub(w.Complaints[0].At).Seconds()
	}
	if t.Failed > 0 || len(killed) > 0 {
		r.Troubles = append(r.Troubles, t)
	}
}

// copyRow sums the backfills of a move up.
func copyRow(m *move.Record) string {
	var sum move.Stage
	for _, s := range m.Stages {
		if s.Name != "backfill" || s.Rows == 0 {
			continue
		}
		sum.Rows += s.Rows
		sum.Seconds += s.Seconds
		sum.Rested += s.Rested
		sum.Memory = max(sum.Memory, s.Memory)
		if s.Customers.P99 > sum.Customers.P99 {
			sum.Customers = s.Customers
		}
	}
	rate := 0.0
	if working := sum.Seconds - sum.Rested; working > 0 {
		rate = float64(sum.Rows) / working
	}
	return fmt.Sprintf("| %s | %d | %.1f s | %.1f s | %.0f | %.1f ms | %.1f ms | %.0f MiB |", m.Area, sum.Rows, sum.Seconds, sum.Rested,
		rate, sum.Customers.P50, sum.Customers.P99, sum.Memory)
}

func (t Trouble) String() string {
	text := fmt.Sprintf("%-24s killed: %s", t.Command, cmp.Or(strings.Join(t.Killed, "; "), "nobody"))
	if t.Failed == 0 {
		return text + "; no request failed"
	}
	return text + fmt.Sprintf("; %d requests failed within %.1f s: %s", t.Failed, t.Away, strings.Join(t.Reasons, ", "))
}

// Err is what should not be. Where processes were killed, customers may have been turned away, and nothing else.
func (r *Report) Err() error {
	switch {
	case r.Judged != "":
		return fmt.Errorf("the shop is not as it should be after the climb: %s", r.Judged)
	case len(r.Lost) > 0:
		return fmt.Errorf("%d things that customers had did not work after a handover: %s", len(r.Lost), r.Lost[0])
	case r.Customers.Wrong > 0:
		return fmt.Errorf("%d answers were wrong", r.Customers.Wrong)
	case !r.Kill && r.Customers.Errors > 0:
		return fmt.Errorf("%d requests failed", r.Customers.Errors)
	}
	return nil
}

// Print writes the table of handovers, and what customers noticed in all.
func (r *Report) Print(out io.Writer) error {
	handovers := 0
	fmt.Fprintln(out, move.HandoverHead)
	for _, m := range r.Moves {
		for _, h := range m.Handovers {
			handovers++
			fmt.Fprintln(out, h.Row(m.Area))
		}
	}
	fmt.Fprintln(out, "\n| copy of | rows | took | of it rested | rows/s | customers' p50 | p99 | tool's memory |\n|---|---:|---:|---:|---:|---:|---:|---:|")
	for _, m := range r.Moves {
		fmt.Fprintln(out, copyRow(m))
	}
	fmt.Fprintf(out, "\n%d handovers in %.0f s, under %.0f interactions a second of all three mixes; step %d at the end.\n",
		handovers, r.Seconds, r.Rate, r.Step)
	fmt.Fprintf(out, "%d requests, %d failed, %d answered wrongly; p50 %.1f ms, p99 %.1f ms, the longest %.0f ms.\n",
		r.Customers.Requests, r.Customers.Errors, r.Customers.Wrong, r.Customers.P50, r.Customers.P99, r.Customers.Longest)
	for _, t := range r.Troubles {
		fmt.Fprintln(out, t)
	}
	for _, lost := range r.Lost {
		fmt.Fprintf(out, "lost: %s\n", lost)
	}
	_, err := fmt.Fprintln(out, map[bool]string{true: "passed", false: "FAILED"}[r.Err() == nil])
	return err
}

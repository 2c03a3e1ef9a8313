package overload

import (
	"fmt"
	"io"
	"time"
)

// Report is what a run found on one side. Times are in milliseconds.
type Report struct {
	Side        string    `json:"side"`
	At          time.Time `json:"at"`
	CPUs        float64   `json:"cpus"`   // the shop's, with its database and broker
	Shared      bool      `json:"shared"` // with the customers; then goodput counts for what they have left it
	Phase       string    `json:"phase"`
	Sweep       []Point   `json:"sweep"`
	Concurrency int       `json:"concurrency"` // at the best goodput
	Times       int       `json:"times"`
	Rate        float64   `json:"rate"` // asked under overload, a second
	Best        Phase     `json:"best"`
	Overload    Phase     `json:"overload"`
	Goodput     float64   `json:"goodput"` // under overload, by the best
	Outage      *Outage   `json:"outage,omitempty"`
	Violations  []string  `json:"violations"`
}

// Point is one step of the sweep.
type Point struct {
	Customers int     `json:"customers"`
	Goodput   float64 `json:"goodput"`
	Refused   float64 `json:"refused"` // of what was served
}

// Phase is what came of the requests of one kind of phase, all rounds together.
type Phase struct {
	Goodput    float64         `json:"goodput"`
	Accepted   int             `json:"accepted"`
	Declined   int             `json:"declined"`
	Refused    int             `json:"refused"`
	Shed       int             `json:"shed"` // of these, at once
	Failed     int             `json:"failed"`
	P50        float64         `json:"p50_ms"`
	P99        float64         `json:"p99_ms"`
	RefusedP50 float64         `json:"refused_p50_ms"`
	RefusedP99 float64         `json:"refused_p99_ms"`
	Late       int             `json:"late"`
	Kinds      map[string]Kind `json:"kinds"`
	Failures   map[string]int  `json:"failures,omitempty"`
}

// Kind is one kind of request.
type Kind struct {
	Rate    float64 `json:"rate"`
	P50     float64 `json:"p50_ms"`
	P99     float64 `json:"p99_ms"`
	Refused int     `json:"refused"`
}

// Print writes the report for people.
func (r *Report) Print(w io.Writer) error {
	p := &printer{w: w}
	p.line("Overloading the %s on %g processors", r.Side, r.CPUs)
	for _, s := range r.Sweep {
		p.line("  %3d customers               %.0f/s", s.Customers, s.Goodput)
	}
	p.line("  best goodput                %.0f/s, with %d customers; p50 %.1f ms, p99 %.1f ms", r.Best.Goodput, r.Concurrency, r.Best.P50, r.Best.P99)
	p.line("  asked %d times as much       %.0f/s", r.Times, r.Rate)
	p.line("  goodput                     %.0f/s, %.0f %% of the best; p50 %.1f ms, p99 %.1f ms", r.Overload.Goodput, 100*r.Goodput, r.Overload.P50, r.Overload.P99)
	for _, m := range mix {
		before, after := r.Best.Kinds[m.kind], r.Overload.Kinds[m.kind]
		p.line("    %-9s %2d %%             %.0f/s → %.0f/s; p50 %.1f → %.1f, p99 %.1f → %.1f ms; refused %d → %d", m.kind, m.share, before.Rate, after.Rate,
			before.P50, after.P50, before.P99, after.P99, before.Refused, after.Refused)
	}
	p.line("  refused, properly           %d, p50 %.1f ms, p99 %.1f ms", r.Overload.Refused, r.Overload.RefusedP50, r.Overload.RefusedP99)
	p.line("  declined, failed, sent late %d, %d, %d", r.Overload.Declined, r.Overload.Failed, r.Overload.Late)
	if o := r.Outage; o != nil {
		p.line("  payments killed             %d times", o.Rounds)
		p.line("  browsing meanwhile          p50 %.1f ms, p99 %.1f ms; else %.1f and %.1f: %.2f times, medians of the rounds", o.P50Down, o.P99Down, o.P50Up, o.P99Up, o.Ratio)
		p.line("  the gateway's breaker       opened %d times; open in %d outages, closed again after %d", o.Opened, o.OpenSeen, o.ClosedSeen)
		p.line("  the gateway sent again      %d of %d requests; %d went on to another upstream", o.Retries, o.Requests, o.Failovers)
	}
	if r.Shared {
		p.line("  the customers shared the shop's processors: goodput is per second that they left it")
	}
	if r.Passed() {
		p.line("  passed")
	} else {
		p.line("  FAILED: %d violations", len(r.Violations))
		for _, v := range r.Violations {
			p.line("    %s", v)
		}
	}
	return p.err
}

type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

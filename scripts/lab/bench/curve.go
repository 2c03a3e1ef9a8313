package bench

import (
	"fmt"

	"banyan/scripts/lab/bench/lines"
	"banyan/scripts/lab/bench/plot"
)

// curve is the table of the ladder: a row for each step.
func (r *Report) curve() *grid {
	g := &grid{words: 1}
	head := []string{"step"}
	for _, mix := range r.mixes() {
		head = append(head, mix+"/s", fmt.Sprintf("÷ step %d", r.Options.Steps[0]))
	}
	g.row(append(head, "processes", "SQL/checkout", "hops/checkout", "MiB at idle", "MiB at the peak", "start-up s", "Go lines", "SQL lines")...)
	for _, rung := range r.Ladder {
		side := aloneName(rung.Step)
		cells := []string{r.title(side)}
		for _, mix := range r.mixes() {
			throughput, ratio := "-", ""
			if t := r.resultIfThere(side, mix); t != nil {
				throughput = fmt.Sprintf("%.0f", t.Throughput)
			}
			if c := r.find(side, r.sides()[0], mix); c != nil {
				ratio = fmt.Sprintf("%.2f (%.2f–%.2f)", c.Throughput, c.Range[0], c.Range[1])
			}
			cells = append(cells, throughput, ratio)
		}
		g.row(append(cells, fmt.Sprint(rung.Processes), orDash("%.1f", rung.Statements), orDash("%.1f", rung.Hops),
			mib(rung.MemoryIdle), mib(rung.Memory), orDash("%.2f", rung.StartUp), changed(rung.Go), changed(rung.SQL))...)
	}
	return g
}

func changed(c lines.Change) string {
	if c == (lines.Change{}) {
		return "-"
	}
	return fmt.Sprintf("+%d −%d", c.Added, c.Removed)
}

// curvePicture is the throughput of each mix over the steps.
func (r *Report) curvePicture() plot.Curve {
	p := plot.Curve{Title: "Throughput over the steps of the ladder, closed loop", Unit: "requests/s"}
	for _, rung := range r.Ladder {
		p.Labels = append(p.Labels, r.title(aloneName(rung.Step)))
	}
	for _, mix := range r.mixes() {
		s := plot.Series{Name: mix}
		for _, rung := range r.Ladder {
			t := r.result(aloneName(rung.Step), mix)
			s.Values = append(s.Values, t.Throughput)
			s.Low, s.High = append(s.Low, t.Range[0]), append(s.High, t.Range[1])
		}
		p.Series = append(p.Series, s)
	}
	return p
}

// ladder is what a run over the steps is made for.
func (p *paper) ladder() {
	r := p.report
	if len(r.Ladder) == 0 {
		return
	}
	p.say("## The curve")
	p.picture("curve.svg", "Throughput of each mix over the steps; the upright lines are the lowest and the highest round")
	p.table(r.curve())
	p.say("Each mix has its requests/s, and what that is of the first step's. Beside a ratio stands the range that holds the true one in nine of ten runs. Processes are the shop's own. A checkout puts a book into the " +
		"cart and buys it, everything that follows included: the means over closed rounds of nothing else. Memory is that of the shop's processes and " +
		"the broker, PostgreSQL and the world outside aside. Start-up is from the start of the step's processes, all at once, until each is ready; PostgreSQL " +
		"and the broker run by then. Go lines are what a step adds and removes: the module in `monolith/` against its twin in " +
		"`services/`, tests aside, and at step 1 the gateway; SQL lines are those of `migrations/extract`, which move the data.")
	p.say("### What each step bought")
	g := &grid{words: 2}
	g.row("step", "what it shows", "processes", "hops/checkout", "Go lines", "SQL lines")
	for _, rung := range r.Ladder {
		g.row(r.title(aloneName(rung.Step)), rung.Teaches, fmt.Sprint(rung.Processes), orDash("%.1f", rung.Hops), changed(rung.Go), changed(rung.SQL))
	}
	p.table(g)
}

package bench

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"banyan/scripts/lab/up"
	"banyan/scripts/lab/workload"
)

// Markdown is the report as a page. Drawn are the pictures that lie beside it.
func (r *Report) Markdown(name string, drawn map[string]bool, notes string) string {
	p := &paper{report: r, drawn: drawn}
	p.say("# %s", name)
	p.say("Made by `lab bench` on %s, commit `%s`, in %.0f minutes. [How to read it](../README.md), and [what was asked for](../workload.md). "+
		"The ratios between sides are the result; the absolute figures are those of one machine.",
		r.Began.Format("2 January 2006, 15:04 UTC"), r.Machine.Commit, r.Seconds/60)
	if !r.Valid {
		p.invalid()
	}
	p.ladder()
	p.result()
	p.budgets()
	if notes = strings.TrimSpace(notes); notes != "" {
		p.say("## Notes")
		p.say("%s", notes)
	}
	p.sweep()
	p.latency()
	p.costs()
	p.events()
	p.memory()
	p.pages()
	p.interactions()
	for _, annex := range r.Annexes {
		p.say("## %s", annex.Title)
		p.say("%s", strings.TrimSpace(annex.Text))
	}
	p.method()
	return p.text.String()
}

// paper is a page that is being written.
type paper struct {
	report *Report
	drawn  map[string]bool
	text   strings.Builder
}

func (p *paper) say(format string, args ...any) {
	fmt.Fprintf(&p.text, format+"\n\n", args...)
}

func (p *paper) table(g *grid) {
	if len(g.rows) > 1 {
		g.markdown(&p.text)
	}
}

func (p *paper) picture(file, says string) {
	if p.drawn[file] {
		p.say("![%s](%s)", says, file)
	}
}

func (p *paper) invalid() {
	p.say("**This run is not valid, and its figures mean nothing:**")
	for _, reason := range p.report.Reasons {
		fmt.Fprintf(&p.text, "- %s\n", reason)
	}
	p.text.WriteString("\n")
}

func (p *paper) result() {
	r := p.report
	p.say("## What distribution costs")
	sides := r.sides()
	for _, mix := range r.mixes() {
		for _, side := range sides[1:] {
			if c := r.find(side, sides[0], mix); c != nil {
				fmt.Fprintf(&p.text, "- %s.\n", r.sentence(c))
			}
		}
	}
	p.text.WriteString("\n")
	p.picture("throughput.svg", "Throughput per mix and side; the lines are the lowest and the highest round")
	p.table(r.figures())
}

func (p *paper) budgets() {
	verdicts := p.report.verdicts()
	if len(verdicts.rows) < 2 {
		return
	}
	p.say("## Budgets")
	p.say("What was set before anything was built, each a ratio from one run, unless it is a time, memory or a count.")
	p.table(verdicts)
}

func (p *paper) sweep() {
	r := p.report
	if len(r.Options.Sweep) == 0 {
		return
	}
	p.say("## Sweep")
	p.say("Requests/s with so many browsers, one short round each; the measured rounds above were played with the number at which the " +
		"sides together did best (where the product of their throughputs is highest). Best ÷ best compares each side at its own best, rounds included.")
	g := &grid{words: 2}
	head := []string{"mix", "step"}
	for _, browsers := range r.Options.Sweep {
		head = append(head, fmt.Sprint(browsers))
	}
	g.row(append(head, "best", "best ÷ first step's best")...)
	for _, mix := range r.mixes() {
		for _, side := range r.sides() {
			t := r.result(side, mix)
			cells := []string{mix, r.title(side)}
			for _, browsers := range r.Options.Sweep {
				at := slices.IndexFunc(t.Sweep, func(s SweepPoint) bool { return s.Browsers == browsers })
				if at < 0 {
					cells = append(cells, "")
					continue
				}
				cells = append(cells, fmt.Sprintf("%.0f", t.Sweep[at].Throughput))
			}
			best, browsers := t.best()
			ratio := ""
			if c := r.find(side, r.sides()[0], mix); c != nil {
				ratio = fmt.Sprintf("%.2f", c.Best)
			}
			g.row(append(cells, fmt.Sprintf("%.0f (%d)", best, browsers), ratio)...)
		}
	}
	p.table(g)
}

func (p *paper) latency() {
	r := p.report
	if len(r.Options.Open) == 0 {
		return
	}
	p.say("## Latency at a fixed rate")
	p.say("An open loop: pages are asked for at a steady rate, the same for every side, whatever became of those before; a latency counts "+
		"from when the page had to be asked for. The rates are %s of the interactions/s that the slowest side reaches.", percents(r.Options.Open))
	p.table(r.latencies())
	for _, mix := range r.mixes() {
		p.picture("latency-"+mix+".svg", "Latency percentiles of the "+mix+" mix")
	}
}

func (p *paper) costs() {
	r := p.report
	p.say("## What a request costs")
	p.picture("cpu.svg", "CPU per request by process")
	for _, side := range r.sides() {
		p.table(r.processes(side))
	}
	p.say("Counted by the parts themselves, everything that a request causes included; how is in [the workload's page](../workload.md#what-is-counted).")
	p.table(r.work())
	g := &grid{words: 3}
	g.row("SQL by service", "step", "service", "statements/request", "begin, commit", "rows", "WAL bytes")
	for _, mix := range r.mixes() {
		for _, side := range r.sides() {
			sql := r.result(side, mix).SQL
			for _, service := range slices.Sorted(maps.Keys(sql)) {
				s := sql[service]
				g.row(mix, r.title(side), service, fmt.Sprintf("%.3f", s.Statements), fmt.Sprintf("%.3f", s.Control),
					fmt.Sprintf("%.2f", s.Rows), fmt.Sprintf("%.0f", s.WAL))
			}
		}
	}
	p.table(g)
	p.hops()
}

func (p *paper) hops() {
	r := p.report
	g := &grid{words: 3}
	g.row("HTTP requests served", "step", "process", "per request")
	for _, mix := range r.mixes() {
		for _, side := range r.sides() {
			hops := r.result(side, mix).Hops
			for _, process := range slices.Sorted(maps.Keys(hops)) {
				g.row(mix, r.title(side), process, fmt.Sprintf("%.3f", hops[process]))
			}
		}
	}
	p.table(g)
}

func (p *paper) events() {
	r := p.report
	g := &grid{words: 2}
	g.row("mix, at pages/s", "consumer", "events", "p50 ms", "p99 ms")
	if side := r.Sides[up.Services]; side != nil {
		for _, mix := range r.mixes() {
			for _, open := range r.result(up.Services, mix).Open {
				for _, consumer := range slices.Sorted(maps.Keys(open.Effects)) {
					e := open.Effects[consumer]
					g.row(fmt.Sprintf("%s, %.0f", mix, open.Rate), consumer, fmt.Sprint(e.Events), fmt.Sprintf("%.1f", e.P50), fmt.Sprintf("%.1f", e.P99))
				}
			}
		}
	}
	if len(g.rows) > 1 {
		p.say("## From commit to effect")
		p.say("How long an event takes from the commit that it tells of to the commit of its effect, as the consumers count it (within their histograms' buckets).")
		p.table(g)
	}
}

func (p *paper) memory() {
	if !p.drawn["memory.svg"] {
		return
	}
	p.say("## Memory")
	p.say("At idle: before the first request of the run. At the peak: the most that was seen under the side's load. By process it is in the tables above.")
	p.picture("memory.svg", "Memory at idle and at the peak")
}

func (p *paper) pages() {
	r := p.report
	pages := r.pages()
	if len(pages) == 0 {
		return
	}
	p.say("## Page by page")
	p.say("A closed loop of nothing but one interaction.")
	g := &grid{words: 1}
	head := []string{"page"}
	for _, side := range r.sides() {
		head = append(head, r.title(side)+", requests/s", "CPU µs/request")
	}
	for _, side := range r.sides()[1:] {
		head = append(head, side+" ÷ "+r.sides()[0])
	}
	both := r.Sides[facade] != nil && r.Sides[up.Services] != nil
	if both {
		head = append(head, facade+" ÷ "+up.Services)
	}
	g.row(head...)
	for _, page := range pages {
		cells := []string{page}
		for _, side := range r.sides() {
			t := r.result(side, page)
			cells = append(cells, fmt.Sprintf("%.0f", t.Throughput), orDash("%.0f", 1000*t.CPUTotal))
		}
		ratio := func(side, to string) string {
			if c := r.find(side, to, page); c != nil {
				return fmt.Sprintf("%.2f", c.Throughput)
			}
			return "-"
		}
		for _, side := range r.sides()[1:] {
			cells = append(cells, ratio(side, r.sides()[0]))
		}
		if both {
			cells = append(cells, ratio(facade, up.Services))
		}
		g.row(cells...)
	}
	p.table(g)
}

// interactions are those of the open loop at its lowest rate, or else of the closed one.
func (p *paper) interactions() {
	r := p.report
	p.say("## Interaction by interaction")
	if len(r.Options.Open) > 0 {
		p.say("Within the mixes, open loop at %s of what the slowest side can do: ms, of whole interactions.", percents([]float64{slices.Min(r.Options.Open)}))
	} else {
		p.say("Within the mixes, closed loop: ms, of whole interactions.")
	}
	for _, mix := range r.mixes() {
		g := &grid{words: 1}
		head := []string{mix}
		for _, side := range r.sides() {
			head = append(head, side+": number", "p50", "p95", "p99", "p99.9", "errors")
		}
		g.row(head...)
		for i := range workload.Interactions {
			cells, seen := []string{i.String()}, false
			for _, side := range r.sides() {
				found := r.interactionsOf(side, mix)[i.String()]
				seen = seen || found.Count > 0
				cells = append(cells, fmt.Sprint(found.Count), orDash("%.1f", found.P50), orDash("%.1f", found.P95),
					orDash("%.1f", found.P99), orDash("%.1f", found.P999), fmt.Sprint(found.Errors))
			}
			if seen {
				g.row(cells...)
			}
		}
		p.table(g)
	}
}

func (r *Report) interactionsOf(side, mix string) map[string]InteractionResult {
	if len(r.Options.Open) > 0 {
		if o := r.openAt(side, mix, slices.Min(r.Options.Open)); o != nil {
			return o.Interactions
		}
	}
	if t := r.resultIfThere(side, mix); t != nil {
		return t.Interactions
	}
	return nil
}

func (p *paper) method() {
	r := p.report
	p.say("## How it was measured")
	for _, line := range r.conditions() {
		fmt.Fprintf(&p.text, "- %s.\n", line)
	}
	for _, warning := range r.Warnings {
		fmt.Fprintf(&p.text, "- Note: %s.\n", warning)
	}
	p.text.WriteString("\n")
	g := &grid{words: 2}
	g.row("the machine", "")
	m := r.Machine
	g.row("CPU", fmt.Sprintf("%s, %d cores", m.CPU, m.Cores))
	g.row("memory", fmt.Sprintf("%.1f GiB", float64(m.Memory)/(1<<30)))
	g.row("kernel", m.Kernel)
	g.row("Go", m.Go)
	g.row("PostgreSQL", m.Postgres)
	for _, name := range slices.Sorted(maps.Keys(m.Settings)) {
		g.row(name, m.Settings[name])
	}
	g.row("NATS", m.NATS)
	g.row("NATS, sync_interval", m.NATSSync)
	g.row("commit", m.Commit)
	p.table(g)
	p.say("The data before the load, as counts and sums of a hash of each row; equal on all sides, or there would be no ratios:")
	g = &grid{words: 1}
	homes := slices.Sorted(maps.Keys(r.Data))
	g.row(append([]string{""}, homes...)...)
	for _, kind := range kinds {
		cells := []string{kind.name}
		for _, home := range homes {
			data := r.Data[home][kind.name]
			cells = append(cells, fmt.Sprintf("%d, %s", data.Rows, data.Checksum))
		}
		g.row(cells...)
	}
	p.table(g)
	p.say("Every round is a line of [raw.jsonl.gz](raw.jsonl.gz), with the histogram of its latencies; the last line is the whole report.")
}

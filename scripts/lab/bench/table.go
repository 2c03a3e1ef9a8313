package bench

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"banyan/scripts/lab/up"
)

// WriteTable shows the report to a person.
func (r *Report) WriteTable(out io.Writer) error {
	var text strings.Builder
	if len(r.mixes()) > 0 {
		figures := r.figures()
		figures.write(&text)
		text.WriteString("\n")
		if len(r.Ladder) > 0 {
			r.curve().write(&text)
			text.WriteString("\n")
		}
		if latency := r.latencies(); len(latency.rows) > 1 {
			latency.write(&text)
			text.WriteString("\n")
		}
		work := r.brief()
		work.write(&text)
		text.WriteString("\n")
		for _, side := range r.sides() {
			if processes := r.processes(side); len(processes.rows) > 1 {
				processes.write(&text)
				text.WriteString("\n")
			}
		}
	}
	if verdicts := r.verdicts(); len(verdicts.rows) > 1 {
		verdicts.write(&text)
		text.WriteString("\n")
	}
	r.writeConditions(&text)
	r.writeMeaning(&text)
	_, err := io.WriteString(out, text.String())
	return err
}

// title names a side with its step: "0 monolith", or by what has left at that step: "5 inventory".
func (r *Report) title(side string) string {
	step := r.Sides[side].Step
	if alone(side) {
		side = rungName(up.Ladder[step])
	}
	return fmt.Sprintf("%d %s", step, side)
}

// figures are the result: throughput of the closed loop.
func (r *Report) figures() *grid {
	g := &grid{words: 2}
	g.row("mix", "step", "requests/s", "lowest–highest round", "CPU ms/request", "errors", "of the first step's")
	for _, mix := range r.mixes() {
		for i, side := range r.sides() {
			t := r.resultIfThere(side, mix)
			if t == nil {
				continue
			}
			ratio := ""
			if i > 0 {
				if c := r.find(side, r.sides()[0], mix); c != nil {
					ratio = fmt.Sprintf("%.2f (%.2f–%.2f)", c.Throughput, c.Range[0], c.Range[1])
				}
			}
			g.row(mix, r.title(side), fmt.Sprintf("%.0f", t.Throughput), fmt.Sprintf("%.0f–%.0f", t.Range[0], t.Range[1]),
				orDash("%.2f", t.CPUTotal), fmt.Sprint(t.Errors), ratio)
		}
	}
	return g
}

// latencies are those of the open loop, each side at the same rate.
func (r *Report) latencies() *grid {
	g := &grid{words: 2}
	g.row("mix, at a fixed rate", "step", "pages/s", "p50 ms", "p95 ms", "p99 ms", "p99.9 ms")
	for _, mix := range r.mixes() {
		for _, share := range r.Options.Open {
			for _, side := range r.sides() {
				o := r.openAt(side, mix, share)
				if o == nil {
					continue
				}
				g.row(mix, r.title(side), fmt.Sprintf("%.0f", o.Rate), fmt.Sprintf("%.1f", o.P50), fmt.Sprintf("%.1f", o.P95),
					fmt.Sprintf("%.1f", o.P99), fmt.Sprintf("%.1f", o.P999))
			}
		}
	}
	return g
}

func (r *Report) openAt(side, mix string, share float64) *OpenResult {
	t := r.resultIfThere(side, mix)
	if t == nil {
		return nil
	}
	at := slices.IndexFunc(t.Open, func(o *OpenResult) bool { return o.Share == share })
	if at < 0 {
		return nil
	}
	return t.Open[at]
}

// work is what a request makes the parts do.
func (r *Report) work() *grid {
	g := &grid{words: 2}
	g.row("per request", "step", "HTTP hops", "SQL statements", "rows", "transactions", "WAL bytes", "events", "bytes out", "bytes in", "event effect p50 ms", "p99 ms")
	for _, mix := range r.mixes() {
		for _, side := range r.sides() {
			t := r.resultIfThere(side, mix)
			if t == nil {
				continue
			}
			effect := t.Effects[allConsumers]
			g.row(mix, r.title(side), orDash("%.2f", t.HopsTotal), orDash("%.2f", t.Statements), orDash("%.1f", t.Rows),
				orDash("%.2f", t.Transactions), orDash("%.0f", t.WAL), orDash("%.2f", t.Published),
				fmt.Sprintf("%.0f", t.Sent), fmt.Sprintf("%.0f", t.Received), orDash("%.1f", effect.P50), orDash("%.1f", effect.P99))
		}
	}
	return g
}

// brief is as much of it as a terminal is wide.
func (r *Report) brief() *grid {
	g := &grid{words: 2}
	g.row("per request", "step", "HTTP hops", "SQL statements", "transactions", "events", "bytes in", "event effect p50 ms")
	for _, mix := range r.mixes() {
		for _, side := range r.sides() {
			if t := r.resultIfThere(side, mix); t != nil {
				g.row(mix, r.title(side), orDash("%.2f", t.HopsTotal), orDash("%.2f", t.Statements), orDash("%.2f", t.Transactions),
					orDash("%.2f", t.Published), fmt.Sprintf("%.0f", t.Received), orDash("%.1f", t.Effects[allConsumers].P50))
			}
		}
	}
	return g
}

// orDash is a dash for what was not measured, or does not happen.
func orDash(format string, figure float64) string {
	if figure == 0 {
		return "-"
	}
	return fmt.Sprintf(format, figure)
}

// processes is what each process used: CPU by mix, and memory.
func (r *Report) processes(side string) *grid {
	of := r.Sides[side]
	g := &grid{words: 1}
	g.row(slices.Concat([]string{r.title(side) + ": CPU µs/request"}, r.mixes(), []string{"MiB at idle", "MiB at the peak"})...)
	for _, process := range of.processes() {
		cells := []string{process}
		if process == postgresName {
			cells[0] = "postgres, all together"
		}
		for _, mix := range r.mixes() {
			cpu := 0.0
			if t := of.Mixes[mix]; t != nil {
				cpu = 1000 * t.CPU[process]
			}
			cells = append(cells, unlessZero(cpu))
		}
		g.row(append(cells, mib(of.MemoryIdle[process]), mib(of.Memory[process]))...)
	}
	return g
}

func mib(bytes int64) string { return unlessZero(float64(bytes) / (1 << 20)) }

func unlessZero(figure float64) string {
	if figure == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f", figure)
}

// processes are those that used at least a microsecond per request under some mix, or take memory; those that used
// most first.
func (s *SideReport) processes() []string {
	used := map[string]float64{}
	for process := range s.Memory {
		used[process] = 0
	}
	for _, result := range s.Mixes {
		for process, ms := range result.CPU {
			if ms >= 0.001 {
				used[process] += ms
			}
		}
	}
	return slices.SortedFunc(maps.Keys(used), func(a, b string) int {
		return cmp.Or(cmp.Compare(used[b], used[a]), strings.Compare(a, b))
	})
}

// verdicts are the budgets that were measured.
func (r *Report) verdicts() *grid {
	g := &grid{words: 3}
	g.row("budget", "what", "", "measured", "budget", "stretch")
	for _, line := range r.Budgets.Lines() {
		result := r.Budgets[line.Key()]
		measured, stretch := figure(result.Value, line.Unit), ""
		if result.Range != nil {
			measured += fmt.Sprintf(" (%.2f–%.2f)", result.Range[0], result.Range[1])
		}
		if line.Stretch != nil {
			stretch = figure(*line.Stretch, line.Unit)
		}
		g.row(line.Key(), line.What, result.Verdict(), measured, string(result.Rule)+" "+figure(line.Budget, line.Unit), stretch)
	}
	return g
}

func figure(value float64, unit string) string {
	text := fmt.Sprintf("%.2f", value)
	if value == float64(int64(value)) {
		text = fmt.Sprintf("%.0f", value)
	}
	return strings.TrimSpace(text + " " + unit)
}

// writeMeaning says what may be concluded.
func (r *Report) writeMeaning(text *strings.Builder) {
	say := func(format string, args ...any) { fmt.Fprintf(text, format+"\n", args...) }
	say("")
	if !r.Valid {
		say("THIS RUN IS NOT VALID, and its figures mean nothing:")
		for _, reason := range r.Reasons {
			say("  - %s", reason)
		}
		return
	}
	if len(r.Comparisons) == 0 {
		say("One side alone has no ratio. Absolute figures are this machine's.")
		return
	}
	sides := r.sides()
	for _, mix := range r.mixes() {
		for _, side := range sides[1:] {
			if c := r.find(side, sides[0], mix); c != nil {
				say("%s.", r.sentence(c))
			}
		}
	}
	say("Both sides had the same machine, the same CPU and the same requests, so the ratios are the result; the")
	say("absolute figures are this machine's. It is TPC-W's workload and not a TPC result.")
}

// sentence is a comparison in words.
func (r *Report) sentence(c *Comparison) string {
	names := map[string]string{up.Monolith: "the monolith", up.Services: "the services", facade: "the monolith behind the gateway"}
	name := func(side string) string {
		if known, ok := names[side]; ok {
			return known
		}
		return side
	}
	line := fmt.Sprintf("%s: %s did %.2f of what %s did (%.2f to %.2f, from %d rounds)",
		c.Mix, name(c.Side), c.Throughput, name(c.To), c.Range[0], c.Range[1], len(c.Rounds))
	if c.CPU > 0 {
		line += fmt.Sprintf("; a request costs %.1f times the CPU", c.CPU)
	}
	return line
}

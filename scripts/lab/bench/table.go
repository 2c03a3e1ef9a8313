package bench

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"banyan/scripts/lab/up"
)

// WriteTable shows the report to a person.
func (r *Report) WriteTable(out io.Writer) error {
	var text strings.Builder
	r.writeFigures(&text)
	r.writeProcesses(&text)
	r.writeMeaning(&text)
	_, err := io.WriteString(out, text.String())
	return err
}

func (r *Report) sides() []string {
	return slices.DeleteFunc([]string{up.Monolith, up.Services}, func(name string) bool { return r.Sides[name] == nil })
}

// mixes are those that were measured, in TPC-W's order.
func (r *Report) mixes() []string {
	var names []string
	for _, mix := range Mixes {
		if slices.ContainsFunc(r.sides(), func(side string) bool { return r.resultIfThere(side, mix.Name) != nil }) {
			names = append(names, mix.Name)
		}
	}
	return names
}

// grid is a table: its first row is the head. So many columns on the left are words, the others are figures.
type grid struct {
	rows  [][]string
	words int
}

func (g *grid) row(cells ...string) { g.rows = append(g.rows, cells) }

func (g *grid) write(text *strings.Builder) {
	widths := make([]int, len(g.rows[0]))
	for _, row := range g.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range g.rows {
		var line strings.Builder
		for i, cell := range row {
			if i < g.words {
				fmt.Fprintf(&line, "%-*s   ", widths[i], cell)
			} else {
				fmt.Fprintf(&line, "%*s   ", widths[i], cell)
			}
		}
		text.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}

func (r *Report) writeFigures(text *strings.Builder) {
	g := grid{words: 2}
	g.row("mix", "side", "requests/s", "p50 ms", "p95 ms", "p99 ms", "CPU ms/request", "errors", "ratio")
	for _, mix := range r.mixes() {
		for _, side := range r.sides() {
			t := r.Sides[side].Mixes[mix]
			cpu, ratio := "-", ""
			if t.CPUTotal > 0 {
				cpu = fmt.Sprintf("%.2f", t.CPUTotal)
			}
			if value, compared := r.Ratios[mix]; compared && side == up.Services {
				ratio = fmt.Sprintf("%.2f", value)
			}
			g.row(mix, side, fmt.Sprintf("%.0f", t.Throughput),
				fmt.Sprintf("%.1f", t.P50), fmt.Sprintf("%.1f", t.P95), fmt.Sprintf("%.1f", t.P99),
				cpu, fmt.Sprint(t.Errors), ratio)
		}
	}
	g.write(text)
}

// writeProcesses shows what each process used: CPU by mix, and memory.
func (r *Report) writeProcesses(text *strings.Builder) {
	for _, side := range r.sides() {
		of := r.Sides[side]
		if len(of.Memory) == 0 {
			continue
		}
		g := grid{words: 1}
		g.row(slices.Concat([]string{side + ": CPU µs/request"}, r.mixes(), []string{"memory MiB"})...)
		for _, process := range of.processes() {
			cells := []string{process}
			if process == postgresName {
				cells[0] = "postgres, all together"
			}
			for _, mix := range r.mixes() {
				cells = append(cells, unlessZero(1000*of.Mixes[mix].CPU[process]))
			}
			g.row(append(cells, unlessZero(float64(of.Memory[process])/(1<<20)))...)
		}
		text.WriteString("\n")
		g.write(text)
	}
}

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

// writeMeaning says what was measured and what may be concluded.
func (r *Report) writeMeaning(text *strings.Builder) {
	say := func(format string, args ...any) { fmt.Fprintf(text, format+"\n", args...) }
	say("")
	o := r.Options
	say("%d browsers per side without think time; %d × %g s per mix and side, in turns; %d customers signed in beforehand.",
		o.Browsers, o.Rounds, o.Seconds, o.Customers)
	if o.WithLogins {
		say("Customer Registration hashed passwords for real, which is most of what it costs.")
	}
	say("Requests/s are the median of the rounds; a round lasts until its events have had their effects. CPU counts everything")
	say("that followed, PostgreSQL and mail included; the browsers themselves took up to %.0f %% of the machine.", 100*r.mostGenerator())
	for _, side := range r.sides() {
		say("%s: connections to PostgreSQL: %s.", side, connections(r.Sides[side].Connections))
	}
	say("%s, %d cores, %s, %s, PostgreSQL %s (synchronous_commit %s).",
		r.Machine.CPU, r.Machine.Cores, r.Machine.Kernel, r.Machine.Go, r.Machine.Postgres, r.Machine.Settings["synchronous_commit"])
	for _, warning := range r.Warnings {
		say("Note: %s.", warning)
	}
	say("")
	if !r.Valid {
		say("THIS RUN IS NOT VALID, and its figures mean nothing:")
		for _, reason := range r.Reasons {
			say("  - %s", reason)
		}
		return
	}
	if len(r.Ratios) == 0 {
		say("One side alone has no ratio. Absolute figures are this machine's.")
		return
	}
	for _, mix := range r.mixes() {
		between := r.RatioRanges[mix]
		line := fmt.Sprintf("%s: the services did %.2f of the monolith's work (rounds: %.2f to %.2f)",
			mix, r.Ratios[mix], between[0], between[1])
		if cpu := r.CPURatios[mix]; cpu > 0 {
			line += fmt.Sprintf("; a request costs them %.1f times the CPU", 1/cpu)
		}
		say("%s.", line)
	}
	say("Both sides had the same machine, the same CPU and the same requests, so the ratios are the result; the")
	say("absolute figures are this machine's. It is TPC-W's workload and not a TPC result.")
}

// mostGenerator is the highest share of the machine's CPU that the browsers took.
func (r *Report) mostGenerator() (most float64) {
	for _, side := range r.Sides {
		for _, result := range side.Mixes {
			most = max(most, result.Generator)
		}
	}
	return most
}

// connections is such as "16", or "56 (catalog 8, orders 16, …)".
func connections(pools map[string]int) string {
	sum := 0
	var each []string
	for _, process := range slices.Sorted(maps.Keys(pools)) {
		sum += pools[process]
		each = append(each, fmt.Sprintf("%s %d", process, pools[process]))
	}
	if len(each) < 2 {
		return fmt.Sprint(sum)
	}
	return fmt.Sprintf("%d (%s)", sum, strings.Join(each, ", "))
}

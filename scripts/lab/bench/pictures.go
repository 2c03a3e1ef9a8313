package bench

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"banyan/scripts/lab/bench/plot"
)

// picture is one of the report's, by the name of its file.
type picture struct {
	file string
	svg  func() ([]byte, error)
}

// pictures are all that the measured figures make possible.
func (r *Report) pictures() []picture {
	var all []picture
	if len(r.mixes()) == 0 {
		return nil
	}
	if len(r.Ladder) > 0 {
		all = append(all, picture{"curve.svg", r.curvePicture().SVG})
	} else {
		all = append(all, picture{"throughput.svg", r.throughputPicture().SVG})
	}
	for _, mix := range r.mixes() {
		if p, drawable := r.latencyPicture(mix); drawable {
			all = append(all, picture{"latency-" + mix + ".svg", p.SVG})
		}
	}
	if p, drawable := r.cpuPicture(); drawable {
		all = append(all, picture{"cpu.svg", p.SVG})
	}
	if p, drawable := r.memoryPicture(); drawable {
		all = append(all, picture{"memory.svg", p.SVG})
	}
	return all
}

func (r *Report) throughputPicture() plot.Bars {
	p := plot.Bars{Title: "Throughput, closed loop", Unit: "requests/s", Labels: r.mixes()}
	for _, side := range r.sides() {
		s := plot.Series{Name: "step " + r.title(side)}
		for _, mix := range p.Labels {
			t := r.result(side, mix)
			s.Values = append(s.Values, t.Throughput)
			s.Low, s.High = append(s.Low, t.Range[0]), append(s.High, t.Range[1])
		}
		p.Series = append(p.Series, s)
	}
	return p
}

// drawnPercentiles are where the latency pictures have their points.
var drawnPercentiles = []float64{50, 75, 90, 95, 99, 99.5, 99.9}

// latencyPicture is of the highest rate of the open loop.
func (r *Report) latencyPicture(mix string) (p plot.Percentiles, drawable bool) {
	if len(r.Options.Open) == 0 {
		return p, false
	}
	share := slices.Max(r.Options.Open)
	rate := 0.0
	for _, side := range r.sides() {
		o := r.openAt(side, mix, share)
		if o == nil || o.tally == nil || o.tally.Requests == 0 {
			continue
		}
		rate = o.Rate
		s := plot.Series{Name: "step " + r.title(side)}
		for _, at := range drawnPercentiles {
			s.Values = append(s.Values, percentile(&o.tally.Latency, at))
		}
		p.Series = append(p.Series, s)
	}
	p.Title = fmt.Sprintf("Latency of the %s mix at %.0f pages/s, open loop", mix, rate)
	p.Unit, p.Percentiles = "ms", drawnPercentiles
	return p, len(p.Series) > 0
}

// cpuPicture has a bar for each mix and side, stacked by process. A service and what PostgreSQL does for it
// are two parts.
func (r *Report) cpuPicture() (p plot.Stack, drawable bool) {
	type bar struct{ mix, side string }
	var bars []bar
	used := map[string]float64{}
	for _, mix := range r.mixes() {
		for _, side := range r.sides() {
			bars = append(bars, bar{mix, side})
			p.Labels = append(p.Labels, mix+", "+r.title(side))
			for process, ms := range r.result(side, mix).CPU {
				used[pictured(process)] += ms
			}
		}
	}
	p.Title, p.Unit = "CPU per request, by process", "µs"
	processes := slices.SortedFunc(maps.Keys(used), func(a, b string) int {
		if used[a] != used[b] {
			return int(1e6 * (used[b] - used[a]))
		}
		return strings.Compare(a, b)
	})
	for _, process := range processes {
		s := plot.Series{Name: process, Values: make([]float64, len(bars))}
		for i, bar := range bars {
			for name, ms := range r.result(bar.side, bar.mix).CPU {
				if pictured(name) == process {
					s.Values[i] += 1000 * ms
				}
			}
		}
		p.Series = append(p.Series, s)
	}
	return p, len(p.Series) > 0
}

// pictured joins PostgreSQL's processes into one: by role they are in the tables.
func pictured(process string) string {
	if strings.HasPrefix(process, postgresName) {
		return postgresName
	}
	return process
}

// memoryPicture is at idle and at the peak, both sides' processes by side.
func (r *Report) memoryPicture() (p plot.Bars, drawable bool) {
	p = plot.Bars{Title: "Memory (PSS), PostgreSQL and the world outside aside", Unit: "MiB"}
	idle, peak := plot.Series{Name: "at idle"}, plot.Series{Name: "at the peak"}
	sum := func(sizes map[string]int64) (all float64) {
		for process, bytes := range sizes {
			if process != postgresName && process != outsideName {
				all += float64(bytes) / (1 << 20)
			}
		}
		return all
	}
	for _, side := range r.sides() {
		of := r.Sides[side]
		if len(of.Memory) == 0 {
			continue
		}
		p.Labels = append(p.Labels, r.title(side))
		idle.Values, peak.Values = append(idle.Values, sum(of.MemoryIdle)), append(peak.Values, sum(of.Memory))
	}
	p.Series = []plot.Series{idle, peak}
	return p, len(p.Labels) > 0
}

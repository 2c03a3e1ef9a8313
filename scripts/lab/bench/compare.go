package bench

import (
	"math"
	"slices"

	"banyan/scripts/lab/up"
)

// Comparison is how one side did beside another, under one mix or asked for one page.
type Comparison struct {
	Side   string `json:"side"`
	Step   int    `json:"step"`
	To     string `json:"to"`
	ToStep int    `json:"to_step"`
	Mix    string `json:"mix"` // or page
	IsPage bool   `json:"page"`
	// Throughput is the side's, divided by the other's: the median of Rounds, which are the ratios within each round. Range
	// holds the true one, as far as the rounds can tell. Best compares the highest throughputs of each, with whatever
	// number of browsers.
	Throughput float64    `json:"throughput"`
	Range      [2]float64 `json:"throughput_range"`
	Rounds     []float64  `json:"throughput_by_round"`
	Best       float64    `json:"best_throughput"`
	CPU        float64    `json:"cpu_per_request,omitempty"` // the side's, divided by the other's
	// Latencies at the same rate, the side's divided by the other's.
	Latencies []LatencyComparison `json:"latencies,omitempty"`
}

// LatencyComparison is at one rate of an open loop.
type LatencyComparison struct {
	Share float64 `json:"share"`
	P50   float64 `json:"p50"`
	P99   float64 `json:"p99"`
}

// compare fills in the ratios: of each side to the first one of the ladder, and of the façade to the services.
func (r *Report) compare() {
	sides := r.sides()
	if len(sides) < 2 {
		return
	}
	pairs := [][2]string{}
	for _, name := range sides[1:] {
		pairs = append(pairs, [2]string{name, sides[0]})
	}
	if slices.Contains(sides, facade) && slices.Contains(sides, up.Services) && sides[0] != facade {
		pairs = append(pairs, [2]string{facade, up.Services})
	}
	for _, pair := range pairs {
		for _, mix := range append(r.mixes(), r.pages()...) {
			if c := r.comparison(pair[0], pair[1], mix); c != nil {
				r.Comparisons = append(r.Comparisons, *c)
			}
		}
	}
	r.compareEnds()
}

// comparison is nil if there is nothing to divide by.
func (r *Report) comparison(side, to, mix string) *Comparison {
	a, b := r.resultIfThere(side, mix), r.resultIfThere(to, mix)
	if a == nil || b == nil || b.Throughput == 0 || a.Throughput == 0 {
		return nil
	}
	_, isMix := r.Sides[side].Mixes[mix]
	c := &Comparison{
		Side: side, Step: r.Sides[side].Step, To: to, ToStep: r.Sides[to].Step, Mix: mix, IsPage: !isMix,
	}
	for i := range min(len(a.Rounds), len(b.Rounds)) {
		if beside := b.Rounds[i].Throughput; beside > 0 {
			c.Rounds = append(c.Rounds, a.Rounds[i].Throughput/beside)
		}
	}
	if len(c.Rounds) == 0 {
		return nil
	}
	c.Throughput, c.Range = median(c.Rounds), rangeOf(c.Rounds)
	highest, _ := a.best()
	beside, _ := b.best()
	c.Best = highest / beside
	if b.CPUTotal > 0 {
		c.CPU = a.CPUTotal / b.CPUTotal
	}
	for _, open := range a.Open {
		at := slices.IndexFunc(b.Open, func(o *OpenResult) bool { return o.Share == open.Share })
		if at >= 0 && b.Open[at].P50 > 0 && b.Open[at].P99 > 0 {
			c.Latencies = append(c.Latencies, LatencyComparison{open.Share, open.P50 / b.Open[at].P50, open.P99 / b.Open[at].P99})
		}
	}
	return c
}

// compareEnds keeps the result proper by itself: services ÷ monolith, by mix.
func (r *Report) compareEnds() {
	for _, c := range r.Comparisons {
		if c.Side != up.Services || c.To != up.Monolith || c.IsPage {
			continue
		}
		if r.Ratios == nil {
			r.Ratios, r.RatioRanges = map[string]float64{}, map[string][2]float64{}
		}
		r.Ratios[c.Mix], r.RatioRanges[c.Mix] = c.Throughput, c.Range
		if c.CPU > 0 {
			if r.CPURatios == nil {
				r.CPURatios = map[string]float64{}
			}
			r.CPURatios[c.Mix] = 1 / c.CPU
		}
	}
}

// find is the comparison of two sides under a mix; nil if there is none.
func (r *Report) find(side, to, mix string) *Comparison {
	for i, c := range r.Comparisons {
		if c.Side == side && c.To == to && c.Mix == mix {
			return &r.Comparisons[i]
		}
	}
	return nil
}

// judgeBudgets holds what was measured against the table. Ratios of a run that is not valid are none; what must
// not happen at any speed counts in any case.
func (r *Report) judgeBudgets() error {
	for mix := range r.Ratios {
		if err := r.find(up.Services, up.Monolith, mix).judge(r.Budgets, "4 "+mix); err != nil {
			return err
		}
	}
	if hop, measured := r.facadeBesideServices(); measured {
		if err := r.Budgets.Add("5", hop); err != nil {
			return err
		}
	}
	if r.Inspected == 0 {
		return nil
	}
	for part, rules := range map[string][]string{"lost": lost, "oversold": oversold, "charged-twice": charges} {
		if err := r.Budgets.Add("14 "+part, float64(count(r.Broken, rules))); err != nil {
			return err
		}
	}
	return nil
}

// facadeBesideServices is the monolith behind the gateway ÷ the services, for pages that one service serves: the
// geometric mean over them.
func (r *Report) facadeBesideServices() (ratio float64, measured bool) {
	sum, n := 0.0, 0
	for _, page := range ofOneService {
		if c := r.find(facade, up.Services, page.String()); c != nil {
			sum += math.Log(c.Throughput)
			n++
		}
	}
	if n == 0 {
		return 0, false
	}
	return math.Exp(sum / float64(n)), true
}

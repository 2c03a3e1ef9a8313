package bench

import (
	"math"
	"slices"

	"banyan/scripts/lab/bench/budget"
)

// How much the rounds have to say before there is a verdict. docs/benchmarks/workload.md tells why.
const (
	fewestRounds = 5    // with fewer, no range holds the true ratio in nine of ten runs
	confidence   = 0.9  // how often the range has to hold it
	betweenRuns  = 0.05 // how far two runs may be from each other beside what their rounds show, as a share of the ratio
	narrowRange  = 0.10 // a range of this share of the ratio is good enough
)

// rangeOf is the range in which the true ratio lies: from the lowest to the highest round, and with many rounds without the
// outermost of both ends, as many as can be left out while the range still holds the true median in nine of ten runs.
// It asks nothing of how the rounds are distributed, and an outlier among eight rounds or more does not widen it.
func rangeOf(ratios []float64) [2]float64 {
	if len(ratios) == 0 {
		return [2]float64{}
	}
	sorted := slices.Sorted(slices.Values(ratios))
	out := leftOut(len(sorted))
	return [2]float64{sorted[out], sorted[len(sorted)-1-out]}
}

// leftOut is how many rounds may be left out at each end. The true median lies below the lowest round that is kept when at
// most that many of the rounds fall below it, and each does so as a coin falls.
func leftOut(rounds int) int {
	below, ways := 0.0, 1.0 // of all the ways that so many coins can fall: those with few heads; those with exactly out
	for out := 0; ; out++ {
		below += ways
		if 1-2*below/math.Pow(2, float64(rounds)) < confidence {
			return max(out-1, 0)
		}
		ways *= float64(rounds-out) / float64(out+1)
	}
}

// wide says whether more rounds would help.
func (c *Comparison) wide() bool { return len(c.Rounds) < fewestRounds || c.width() > narrowRange }

// width is the range's, as a share of the ratio.
func (c *Comparison) width() float64 { return (c.Range[1] - c.Range[0]) / c.Throughput }

// judge holds the ratio against a budget. The verdict needs all of the range on one side of the budget, and the median at
// some distance from it: what makes two runs differ, such as where the kernel has put the processes, stays the same within a
// run, and no number of rounds shows it.
func (c *Comparison) judge(budgets budget.Results, key string) error {
	if len(c.Rounds) < fewestRounds {
		return budgets.AddUnjudged(key, c.Throughput)
	}
	low, high := min(c.Range[0], c.Throughput*(1-betweenRuns)), max(c.Range[1], c.Throughput*(1+betweenRuns))
	return budgets.AddBetween(key, c.Throughput, low, high)
}

package bench

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/bench/budget"
)

func TestRatio(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rounds    []float64
		low, high float64
		wide      bool
		verdict   string // of 0.40, with a stretch of 0.60
	}{
		"narrow, above":           {[]float64{0.49, 0.50, 0.50, 0.51, 0.50}, 0.49, 0.51, false, "met"},
		"narrow, below":           {[]float64{0.30, 0.31, 0.30, 0.29, 0.30}, 0.29, 0.31, false, "MISSED"},
		"narrow, just above":      {[]float64{0.41, 0.41, 0.41, 0.42, 0.41}, 0.41, 0.42, false, "too close to call"},
		"narrow, just below":      {[]float64{0.39, 0.39, 0.39, 0.38, 0.39}, 0.38, 0.39, false, "too close to call"},
		"wide, but above":         {[]float64{0.45, 0.55, 0.50, 0.48, 0.52}, 0.45, 0.55, true, "met"},
		"straddling":              {[]float64{0.36, 0.40, 0.44, 0.41, 0.38}, 0.36, 0.44, true, "too close to call"},
		"few":                     {[]float64{0.90, 0.90, 0.90, 0.90}, 0.90, 0.90, true, "too few rounds to call"},
		"an outlier of five":      {[]float64{0.50, 0.50, 0.30, 0.50, 0.50}, 0.30, 0.50, true, "too close to call"},
		"an outlier of eight":     {[]float64{0.50, 0.50, 0.30, 0.51, 0.50, 0.49, 0.50, 0.51}, 0.49, 0.51, false, "met"},
		"two outliers, both ends": {[]float64{0.50, 0.50, 0.30, 0.51, 0.90, 0.49, 0.50, 0.51}, 0.49, 0.51, false, "met"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := &Comparison{Throughput: median(c.rounds), Range: rangeOf(c.rounds), Rounds: c.rounds}
			require.Equal(t, [2]float64{c.low, c.high}, got.Range)
			require.Equal(t, c.wide, got.wide())
			budgets := budget.Results{}
			require.NoError(t, got.judge(budgets, "4 browsing"))
			require.Equal(t, c.verdict, budgets["4 browsing"].Verdict())
		})
	}
	require.Zero(t, rangeOf(nil))
}

func TestRangeHoldsTheTrueRatio(t *testing.T) {
	t.Parallel()
	chance := rand.New(rand.NewPCG(1, 1))
	for _, rounds := range []int{5, 7, 8, 11, 16} {
		const runs = 5000
		held := 0
		for range runs {
			each := make([]float64, rounds)
			for i := range each {
				each[i] = 0.4 * (1 + chance.ExpFloat64() - 0.693) // lopsided: most rounds a little below, some far above
			}
			if got := rangeOf(each); got[0] <= 0.4 && 0.4 <= got[1] {
				held++
			}
		}
		require.Greater(t, float64(held)/runs, confidence-0.01, "%d rounds", rounds)
	}
}

// Five runs of one lab do not say met and missed, wherever the true ratio lies, although each run is off by some per cent
// of its own and each round by more.
func TestRunsDoNotContradictEachOther(t *testing.T) {
	t.Parallel()
	chance := rand.New(rand.NewPCG(2, 2))
	const tries = 300
	contradicted := 0
	for _, truth := range []float64{0.37, 0.38, 0.39, 0.40, 0.41, 0.42, 0.43} {
		for range tries {
			seen := map[string]bool{}
			for range 5 {
				off := truth * (1 + 0.02*chance.NormFloat64())
				c := &Comparison{}
				for range 6 {
					c.Rounds = append(c.Rounds, off*(1+0.05*chance.NormFloat64()))
				}
				c.Throughput, c.Range = median(c.Rounds), rangeOf(c.Rounds)
				budgets := budget.Results{}
				require.NoError(t, c.judge(budgets, "4 browsing"))
				seen[budgets["4 browsing"].Verdict()] = true
			}
			if seen["met"] && seen["MISSED"] {
				contradicted++
			}
		}
	}
	require.Less(t, contradicted, 7*tries*3/1000, "three of a thousand such fives at most")
}

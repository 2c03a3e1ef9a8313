package main

import (
	"fmt"
	"math"
	"slices"
)

// sample is a round of one generator; times are in milliseconds.
type sample struct{ rate, mean, p50, p95, p99, errors float64 }

// series are the rounds of one generator.
type series []sample

// figures are what is compared.
var figures = []struct {
	name  string
	of    func(sample) float64
	grain float64 // smaller differences are none: of clocks and of how percentiles are rounded
}{
	{"requests/s", func(s sample) float64 { return s.rate }, 1},
	{"mean", func(s sample) float64 { return s.mean }, 0.1},
	{"p50", func(s sample) float64 { return s.p50 }, 0.1},
	{"p95", func(s sample) float64 { return s.p95 }, 0.2},
	{"p99", func(s sample) float64 { return s.p99 }, 0.5},
}

func (s series) each(of func(sample) float64) []float64 {
	var all []float64
	for _, one := range s {
		all = append(all, of(one))
	}
	slices.Sort(all)
	return all
}

func (s series) median(of func(sample) float64) float64 {
	all := s.each(of)
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
}

func (s series) print(loop, generator string) {
	fmt.Printf("| %s | %s ", loop, generator)
	for _, f := range figures {
		all := s.each(f.of)
		fmt.Printf("| %.4g (%.4g to %.4g) ", s.median(f.of), all[0], all[len(all)-1])
	}
	var errors float64
	for _, one := range s {
		errors += one.errors
	}
	fmt.Printf("| %.0f |\n", errors)
}

// restless says that the rounds of a generator differ so much among themselves that nothing can be said about the two: an
// agreement within such noise would be worth nothing.
func restless(of ...series) error {
	for _, s := range of {
		all := s.each(figures[0].of)
		if spread := (all[len(all)-1] - all[0]) / s.median(figures[0].of); spread > 0.2 {
			return fmt.Errorf("the rounds of one generator differ by %.0f %% in their requests/s: the machine is too busy to compare two", 100*spread)
		}
	}
	return nil
}

// differences are figures whose medians are further apart than the rounds of either generator are among themselves, and
// than a tenth. An error of either is a difference as well: then the two have not done the same.
func differences(ours, theirs series) (found []string) {
	for _, f := range figures {
		a, b := ours.median(f.of), theirs.median(f.of)
		noise := max(f.grain, 0.1*min(a, b))
		for _, s := range []series{ours, theirs} {
			all := s.each(f.of)
			noise = max(noise, all[len(all)-1]-all[0])
		}
		if apart := math.Abs(a - b); apart > noise {
			found = append(found, fmt.Sprintf("%s: %.4g and %.4g are %.2g apart, and the rounds only %.2g", f.name, a, b, apart, noise))
		}
	}
	for _, s := range []series{ours, theirs} {
		for _, one := range s {
			if one.errors > 0 {
				return append(found, fmt.Sprintf("%.0f requests of a round failed", one.errors))
			}
		}
	}
	return found
}

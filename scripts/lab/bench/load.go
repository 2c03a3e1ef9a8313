package bench

import (
	"banyan/scripts/lab/load"
	"banyan/scripts/lab/workload"
)

// asking is how a side is asked in a round.
type asking struct {
	kind  string
	share float64 // of the slower side's highest throughput, which the rate was made from
	workload.Asking
}

// The kinds of rounds.
const (
	kindWarmUp = "warm-up"
	kindSweep  = "sweep"  // closed loops at several numbers of browsers
	kindClosed = "closed" // the highest throughput
	kindOpen   = "open"   // latency at a fixed rate
)

// percentile is a latency in milliseconds.
func percentile(l *load.Latencies, p float64) float64 {
	return float64(l.Percentile(p).Microseconds()) / 1000
}

package bench

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

// The names are those of internal/telemetry and internal/events.
const (
	requestsServed = "http_request_seconds_count"
	eventsLag      = "events_lag_seconds"
	poolSize       = "postgres_pool_connections_max"
)

// buckets are a histogram of Prometheus: how many observations were at most so many seconds.
type buckets map[float64]int64

// since is what was observed after an earlier look.
func (b buckets) since(earlier buckets) buckets {
	left := buckets{}
	for le, count := range b {
		left[le] = count - earlier[le]
	}
	return left
}

func (b buckets) add(other buckets) {
	for le, count := range other {
		b[le] += count
	}
}

func (b buckets) count() int64 { return b[math.Inf(1)] }

// quantile is in seconds, and interpolated within its bucket as Prometheus does; what is beyond the last limit
// counts as that limit. Without observations it is zero.
func (b buckets) quantile(q float64) float64 {
	limits := slices.SortedFunc(maps.Keys(b), cmp.Compare[float64])
	rank := q * float64(b.count())
	if rank == 0 {
		return 0
	}
	below, lower := int64(0), 0.0
	for _, le := range limits {
		if float64(b[le]) >= rank {
			if math.IsInf(le, 1) {
				return lower
			}
			return lower + (le-lower)*(rank-float64(below))/float64(b[le]-below)
		}
		below, lower = b[le], le
	}
	return lower
}

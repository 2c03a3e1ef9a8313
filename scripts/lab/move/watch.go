package move

import (
	"context"
	"slices"
	"sync"
	"time"

	"banyan/scripts/lab/gauge"
)

// Customers is what customers of the gateway noticed in a stretch of time.
type Customers struct {
	Seconds  float64 `json:"seconds"`
	Requests int64   `json:"requests"`
	Failed   int64   `json:"failed"` // answered with a 5xx or a 429
	Rate     float64 `json:"requests_per_second"`
	// P50 and P99 are in milliseconds, from the gateway's histogram: exact to its buckets. Longest is the upper end of the
	// highest bucket that holds a request.
	P50     float64 `json:"p50_ms"`
	P99     float64 `json:"p99_ms"`
	Longest float64 `json:"longest_ms"`
	// PostgreSQL and Trunk are CPU time per request, in milliseconds; 0 where nobody can tell.
	PostgreSQL float64 `json:"postgresql_cpu_ms_per_request,omitempty"`
	Trunk      float64 `json:"trunk_cpu_ms_per_request,omitempty"`
}

// sampleEvery is how often the gateways are asked. A stretch of time is as exact as that.
const sampleEvery = 200 * time.Millisecond

// sample is what the gateways had counted at a moment.
type sample struct {
	at       time.Time
	buckets  map[float64]int64
	requests int64
	failed   int64
	cpu      map[string]time.Duration // by process
}

// watch samples while a tool works.
type watch struct {
	gateways []string              // URLs of their ops ports
	pids     func() map[string]int // whose CPU time counts
	stop     context.CancelFunc
	done     sync.WaitGroup

	mu      sync.Mutex
	samples []sample
}

// keepSamples bounds the memory of a tool that works for hours: what is older is only needed by stages that lasted as
// long, and they remember their own beginning.
const keepSamples = 3000

func newWatch(ctx context.Context, gateways []string, pids func() map[string]int) *watch {
	ctx, stop := context.WithCancel(ctx)
	w := &watch{gateways: gateways, pids: pids, stop: stop}
	w.take(ctx)
	w.done.Go(func() {
		tick := time.NewTicker(sampleEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				w.take(ctx)
			}
		}
	})
	return w
}

func (w *watch) close() {
	w.stop()
	w.done.Wait()
}

// take asks every gateway. One that can't be asked leaves no sample: its counters would seem to fall.
func (w *watch) take(ctx context.Context) {
	s := sample{at: time.Now(), buckets: map[float64]int64{}, cpu: map[string]time.Duration{}}
	for _, url := range w.gateways {
		found, err := gauge.ReadMetrics(ctx, url)
		if err != nil {
			return
		}
		for le, n := range found.Buckets(latency) {
			s.buckets[le] += n
		}
		s.requests += int64(found.Sum(latency + "_count"))
		s.failed += failures(found)
	}
	for name, pid := range w.pids() {
		if used, err := gauge.CPU(pid); err == nil {
			s.cpu[name] = used
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.samples = append(w.samples, s)
	if len(w.samples) > keepSamples {
		w.samples = slices.Delete(w.samples, 0, keepSamples/2)
	}
}

// now takes a sample at once, and returns it.
func (w *watch) now(ctx context.Context) sample {
	w.take(ctx)
	return w.last()
}

func (w *watch) last() sample {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.samples) == 0 {
		return sample{at: time.Now()}
	}
	return w.samples[len(w.samples)-1]
}

// at is the last sample before a moment; the first one, if there is none.
func (w *watch) at(moment time.Time) sample {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.samples) == 0 {
		return sample{at: moment}
	}
	i, _ := slices.BinarySearchFunc(w.samples, moment, func(s sample, m time.Time) int { return s.at.Compare(m) })
	return w.samples[max(i-1, 0)]
}

// recently is what customers noticed in the last moments.
func (w *watch) recently(within time.Duration) Customers {
	return between(w.at(time.Now().Add(-within)), w.last())
}

// latency is the gateway's histogram of whole requests.
const latency = "http_request_seconds"

// failures are the requests that were answered as none should be.
func failures(found gauge.Metrics) (n int64) {
	for _, status := range []string{"429", "500", "502", "503", "504"} {
		n += int64(found.SumWhere(latency+"_count", `status="`+status+`"`))
	}
	return n
}

// between compares two samples. CPU time counts for processes that lived from one to the other.
func between(from, to sample) Customers {
	c := Customers{
		Seconds:  to.at.Sub(from.at).Seconds(),
		Requests: to.requests - from.requests,
		Failed:   to.failed - from.failed,
	}
	if c.Seconds <= 0 || c.Requests <= 0 {
		return c
	}
	c.Rate = float64(c.Requests) / c.Seconds
	counts := map[float64]int64{}
	for le, n := range to.buckets {
		counts[le] = n - from.buckets[le]
	}
	c.P50, c.P99, c.Longest = quantile(counts, .5), quantile(counts, .99), quantile(counts, 1)
	perRequest := func(process string) float64 {
		before, was := from.cpu[process]
		after, is := to.cpu[process]
		if !was || !is || after < before {
			return 0
		}
		return 1000 * (after - before).Seconds() / float64(c.Requests)
	}
	c.PostgreSQL, c.Trunk = perRequest(processPostgres), perRequest(processTrunk)
	return c
}

// quantile finds it in a cumulative histogram, in milliseconds, by a straight line within its bucket.
func quantile(counts map[float64]int64, q float64) float64 {
	var limits []float64
	for le := range counts {
		limits = append(limits, le)
	}
	slices.Sort(limits)
	if len(limits) == 0 {
		return 0
	}
	rank := q * float64(counts[limits[len(limits)-1]])
	below, lower := 0.0, 0.0
	for _, le := range limits {
		n := float64(counts[le])
		if n >= rank && n > below {
			if le > 1e9 { // beyond the last limit
				return 1000 * lower
			}
			return 1000 * (lower + (le-lower)*(rank-below)/(n-below))
		}
		below, lower = n, le
	}
	return 1000 * lower
}

package drive

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Load is who asks, and for how long.
type Load struct {
	Base    string
	Clients int // each with one connection
	// Request makes the n-th request, counted over all clients from 0. It may be called by several goroutines at once.
	Request func(n int) Request

	Length time.Duration
	// Count, if it is not zero, is how many requests there are; the load then ends with the last of them.
	Count int
}

// Result is what came of a load.
type Result struct {
	Requests int
	Errors   int
	First    error         // the first error
	Took     time.Duration // from the first request to the last answer
	latency  *hdrhistogram.Histogram
	late     int
}

// Rate is the requests per second that were answered as they had to be.
func (r *Result) Rate() float64 { return float64(r.Requests-r.Errors) / r.Took.Seconds() }

// Percentile of the latencies.
func (r *Result) Percentile(p float64) time.Duration {
	return time.Duration(r.latency.ValueAtQuantile(p)) * time.Microsecond
}

// Mean of the latencies.
func (r *Result) Mean() time.Duration {
	return time.Duration(r.latency.Mean() * float64(time.Microsecond))
}

// Late is the share of requests that began more than a millisecond after their time although their client had nothing
// else to do: the generator's own doing.
func (r *Result) Late() float64 { return float64(r.late) / float64(max(r.Requests, 1)) }

// Good is an error if more than one request in a thousand failed: then the figures are worth nothing.
func (r *Result) Good() error {
	switch {
	case r.Requests == 0:
		return errors.New("nothing was answered")
	case r.Errors*1000 > r.Requests:
		return fmt.Errorf("%d of %d requests failed, the first because %w", r.Errors, r.Requests, r.First)
	}
	return nil
}

// Join adds the results of several rounds up.
func Join(results ...*Result) *Result {
	all := newResult()
	for _, r := range results {
		all.add(r)
		all.Took += r.Took
	}
	return all
}

func newResult() *Result { return &Result{latency: hdrhistogram.New(1, 60_000_000, 3)} }

func (r *Result) add(other *Result) {
	r.Requests += other.Requests
	r.Errors += other.Errors
	r.late += other.late
	if r.First == nil {
		r.First = other.First
	}
	r.latency.Merge(other.latency)
}

func (r *Result) note(took time.Duration, err error) {
	r.Requests++
	if err != nil {
		r.Errors++
		if r.First == nil {
			r.First = err
		}
		return
	}
	_ = r.latency.RecordValue(max(1, took.Microseconds()))
}

// Closed asks as fast as there are answers.
func Closed(ctx context.Context, load Load) (*Result, error) {
	end := time.Now().Add(load.Length)
	return run(ctx, load, func(next *atomic.Int64, c *client, into *Result) {
		for ctx.Err() == nil {
			n := int(next.Add(1)) - 1
			began := time.Now()
			if load.Count > 0 && n >= load.Count || load.Count == 0 && into.Requests > 0 && !began.Before(end) { // each client asks once at least
				return
			}
			err := c.do(ctx, load.Request(n))
			into.note(time.Since(began), err)
		}
	})
}

// lateAfter is how late a request may begin without being called late.
const lateAfter = 2 * time.Millisecond

// Open asks at a steady rate, whatever becomes of the requests before. Latencies count from the moment at which a
// request was to begin.
func Open(ctx context.Context, load Load, rate float64) (*Result, error) {
	every := time.Duration(float64(time.Second) / rate)
	count := int(math.Round(rate * load.Length.Seconds()))
	began := time.Now()
	return run(ctx, load, func(next *atomic.Int64, c *client, into *Result) {
		for ctx.Err() == nil {
			n := int(next.Add(1)) - 1
			if n >= count {
				return
			}
			intended := began.Add(time.Duration(n) * every)
			if ahead := time.Until(intended); ahead > 0 {
				Sleep(ahead)
				if time.Since(intended) > lateAfter {
					into.late++
				}
			}
			err := c.do(ctx, load.Request(n))
			into.note(time.Since(intended), err)
		}
	})
}

// run lets all clients work. An error is only that of ctx or of an address that makes no sense.
func run(ctx context.Context, load Load, work func(*atomic.Int64, *client, *Result)) (*Result, error) {
	clients := make([]*client, load.Clients)
	for i := range clients {
		c, err := newClient(load.Base)
		if err != nil {
			return nil, err
		}
		clients[i] = c
	}
	results := make([]*Result, load.Clients)
	var next atomic.Int64
	var group sync.WaitGroup
	began := time.Now()
	for i, c := range clients {
		results[i] = newResult()
		group.Go(func() {
			defer c.conn.Close()
			work(&next, c, results[i])
		})
	}
	group.Wait()
	all := newResult()
	all.Took = time.Since(began)
	for _, r := range results {
		all.add(r)
	}
	return all, ctx.Err()
}

package bench

import (
	"context"
	"sync"
	"time"

	"banyan/scripts/lab/shop"
)

// Replayed is what came of asking for fixed pages.
type Replayed struct {
	Requests int64
	Errors   int64 // and wrong answers
	Rate     float64
	Late     float64 // the share of requests that the generator itself began late
	Mean     time.Duration

	percentile func(float64) time.Duration
}

// Percentile of the latencies.
func (r *Replayed) Percentile(p float64) time.Duration { return r.percentile(p) }

// Replay asks for the same pages in turn, with the browsers' own connections, clocks and histograms: as an open loop at a
// rate, or, with a rate of zero, as a closed one. Nobody signs in and nothing is bought. It is there to be held against
// another load generator (scripts/lab/bench/crosscheck).
func Replay(ctx context.Context, base string, paths []string, connections int, rate float64, length time.Duration) (*Replayed, error) {
	requests := make([]shop.Request, len(paths))
	for i, path := range paths {
		requests[i] = shop.Request{Method: "GET", Path: path}
	}
	browsers := make([]*browser, connections)
	for i := range browsers {
		c, err := shop.NewConn(base)
		if err != nil {
			return nil, err
		}
		browsers[i] = &browser{conn: c, tally: newTally(), sampleEvery: 1}
	}
	began := time.Now()
	var plan *schedule
	if rate > 0 {
		plan = newSchedule(began, rate, length)
	}
	var group sync.WaitGroup
	for i, b := range browsers {
		group.Go(func() {
			defer b.conn.Close()
			b.replay(ctx, requests[i*len(requests)/connections:], requests, plan, began.Add(length))
		})
	}
	group.Wait()
	took := time.Since(began)
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	all := newTally()
	for _, b := range browsers {
		all.add(b.tally)
	}
	return &Replayed{
		Requests: all.requests, Errors: all.errors + all.wrong, Rate: float64(all.requests) / took.Seconds(),
		Late:       float64(all.late) / float64(max(all.requests, 1)),
		Mean:       time.Duration(all.latency.Mean() * float64(time.Microsecond)),
		percentile: func(p float64) time.Duration { return time.Duration(all.latency.ValueAtQuantile(p)) * time.Microsecond },
	}, nil
}

// replay asks for what is left of the pages, then for all of them again and again.
func (b *browser) replay(ctx context.Context, left, all []shop.Request, plan *schedule, end time.Time) {
	for ctx.Err() == nil {
		if plan != nil {
			intended, more := plan.take()
			if !more {
				return
			}
			if ahead := time.Until(intended); ahead > 0 {
				plan.sleep(ctx, ahead)
				b.tally.punctual++
				if time.Since(intended) > lateAfter {
					b.tally.late++
				}
			}
			b.intended = intended
		} else if !time.Now().Before(end) {
			return
		}
		if len(left) == 0 {
			left = all
		}
		b.ask(ctx, left[0], ok(nil))
		left = left[1:]
	}
}

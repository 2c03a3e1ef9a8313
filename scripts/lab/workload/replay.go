package workload

import (
	"context"
	"time"

	"banyan/scripts/lab/load"
	"banyan/scripts/lab/shop"
)

// Replayed is what came of asking for fixed pages.
type Replayed struct {
	Requests int64
	Errors   int64 // and wrong answers
	Rate     float64
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
	browsers, clients := make(Browsers, connections), make([]load.Client, connections)
	for i := range browsers {
		c, err := shop.NewConn(base)
		if err != nil {
			return nil, err
		}
		defer c.Close()
		browsers[i] = &browser{conn: c, notes: newNotes(), sampleEvery: 1}
		clients[i] = browsers[i].replay(requests[i*len(requests)/connections:], requests)
	}
	took := load.Plan{Rate: rate, Length: length}.Run(ctx, clients...)
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	all := browsers.Tally()
	return &Replayed{
		Requests: all.Requests, Errors: all.Errors + all.Wrong, Rate: float64(all.Requests) / took.Seconds(),
		Mean: all.Latency.Mean(), percentile: all.Latency.Percentile,
	}, nil
}

// replay asks for what is left of the pages, then for all of them again and again.
func (b *browser) replay(left, all []shop.Request) load.Client {
	return func(ctx context.Context, turn load.Turn) {
		b.note(func(t *Tally) { t.Pace.Keep(turn) })
		if turn.Err != nil {
			b.failed(turn.Err.Error(), turn.Err.Error())
			return
		}
		if len(left) == 0 {
			left = all
		}
		b.intended = turn.Due
		b.ask(ctx, left[0], ok(nil))
		left = left[1:]
	}
}

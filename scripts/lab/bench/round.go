package bench

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// round is one side under one mix for a while.
type round struct {
	tally *tally
	load  time.Duration // from the first request to the last answer
	drain time.Duration // until the events had their effects
	bill  *bill         // from the first request until the side had come to rest
	rest  bool          // it did
}

// throughput is requests per second of load and drain: a side that leaves its events for later gets nothing
// for that.
func (r *round) throughput() float64 {
	return float64(r.tally.requests) / (r.load + r.drain).Seconds()
}

// play runs the browsers against a side. Rounds with the same number have the same scripts.
func (r *runner) play(ctx context.Context, s *side, mix Mix, number int, length time.Duration, sampleEvery int64) (*round, error) {
	if err := s.emptyCarts(ctx); err != nil {
		return nil, err
	}
	browsers := make([]*browser, r.options.Browsers)
	for i := range browsers {
		c, err := newConn(s.url)
		if err != nil {
			return nil, err
		}
		b := &browser{
			session: &s.session, script: newScript(s.shop, mix, r.options.Seed, number, i),
			conn: c, tally: newTally(), sampleEvery: sampleEvery,
		}
		for n := i; n < len(s.customers); n += len(browsers) {
			b.customers = append(b.customers, s.customers[n])
		}
		browsers[i] = b
	}
	before, err := r.accounts.now(ctx)
	if err != nil {
		return nil, err
	}

	began := time.Now()
	var group sync.WaitGroup
	for _, b := range browsers {
		group.Go(func() { b.run(ctx, began.Add(length)) })
	}
	group.Wait()
	done := &round{tally: newTally(), load: time.Since(began)}
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	if err := r.flow.drain(ctx); err != nil {
		return nil, fmt.Errorf("wait for the events of the side %s: %w", s.name, err)
	}
	done.drain = time.Since(began) - done.load
	for _, b := range browsers {
		done.tally.add(b.tally)
	}

	after, rested, err := r.settle(ctx)
	if err != nil {
		return nil, err
	}
	done.bill, done.rest = after.since(before), rested
	return done, nil
}

// A lab is at rest when it uses less than a tenth of a CPU.
const (
	restLook  = 200 * time.Millisecond
	restShare = 0.1
	restLimit = 10 * time.Second
)

// settle waits until the lab has come to rest, so that what one side has put off, mail for instance, neither
// burdens the other side's round nor is missing from its own bill.
func (r *runner) settle(ctx context.Context) (last *spending, rested bool, err error) {
	last, err = r.accounts.now(ctx)
	for limit := time.Now().Add(restLimit); err == nil; {
		select {
		case <-ctx.Done():
			return nil, false, context.Cause(ctx)
		case <-time.After(restLook):
		}
		var next *spending
		if next, err = r.accounts.now(ctx); err != nil {
			break
		}
		used := next.since(last)
		last = next
		if !used.known || used.total().Seconds() <= restShare*used.elapsed.Seconds() {
			return last, true, nil
		}
		if time.Now().After(limit) {
			return last, false, nil
		}
	}
	return nil, false, err
}

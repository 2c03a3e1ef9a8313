package bench

import (
	"context"
	"fmt"
	"time"

	"banyan/scripts/lab/workload"
)

// round is one side under one mix for a while.
type round struct {
	load    asking
	began   time.Time
	tally   *workload.Tally
	took    time.Duration // from the first request to the last answer
	drain   time.Duration // until the events had their effects
	bill    *bill         // from the first request until the side had come to rest
	rest    bool          // it did
	counted *counted      // what was done within, as the parts of the lab count it
}

// throughput is requests per second of load and drain: a side that leaves its events for later gets nothing
// for that.
func (r *round) throughput() float64 {
	return float64(r.tally.Requests) / (r.took + r.drain).Seconds()
}

// visits is interactions per second, likewise.
func (r *round) visits() float64 {
	return float64(r.tally.AllVisits()) / (r.took + r.drain).Seconds()
}

// play asks a side, and waits until it has come to rest.
func (r *runner) play(ctx context.Context, s *side, mix workload.Mix, l asking) (*round, error) {
	if err := s.people.EmptyCarts(ctx); err != nil {
		return nil, err
	}
	l.Mix, l.Seed = mix, r.options.Seed
	browsers, err := s.people.Browsers(l.Asking)
	if err != nil {
		return nil, err
	}
	// Reading what is counted costs the processes some work, which must not be on their bill.
	counts, err := s.lab.meters.read(ctx)
	if err != nil {
		return nil, err
	}
	goOn, err := pause(s.others)
	defer goOn()
	if err != nil {
		return nil, err
	}
	before, err := s.lab.accounts.now(ctx)
	if err != nil {
		return nil, err
	}
	weighing := s.lab.scales.watch(s.name)
	done := &round{load: l, began: time.Now()}
	done.took = browsers.Drive(ctx, l.Asking)
	weighing()
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	if err := s.lab.flow.drain(ctx); err != nil {
		return nil, fmt.Errorf("wait for the events of the side %s: %w", s.name, err)
	}
	done.drain = time.Since(done.began) - done.took
	done.tally = browsers.Tally()
	after, rested, err := s.lab.settle(ctx)
	if err != nil {
		return nil, err
	}
	done.bill, done.rest = after.since(before), rested
	goOn() // they have to tell what they have counted
	now, err := s.lab.meters.read(ctx)
	if err != nil {
		return nil, err
	}
	done.counted = now.since(counts)
	return done, s.lab.scales.weighServer(ctx, s.name)
}

// A lab is at rest when it uses less than a tenth of a CPU.
const (
	restLook  = 200 * time.Millisecond
	restShare = 0.1
	restLimit = 10 * time.Second
)

// settle waits until the lab has come to rest, so that what one side has put off, mail for instance, neither
// burdens the other side's round nor is missing from its own bill.
func (l *lab) settle(ctx context.Context) (last *spending, rested bool, err error) {
	last, err = l.accounts.now(ctx)
	for limit := time.Now().Add(restLimit); err == nil; {
		if !last.known {
			return last, true, nil // nobody can tell
		}
		select {
		case <-ctx.Done():
			return nil, false, context.Cause(ctx)
		case <-time.After(restLook):
		}
		var next *spending
		if next, err = l.accounts.now(ctx); err != nil {
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

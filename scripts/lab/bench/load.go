package bench

import (
	"context"
	"time"

	"banyan/scripts/lab/load"
	"banyan/scripts/lab/shop"
)

// asking is how a side is asked in a round.
type asking struct {
	kind     string
	browsers int // each with one connection
	// rate is the interactions per second of an open loop. Zero makes a closed loop: each browser asks again as
	// soon as it has its answer and its customer has thought.
	rate   float64
	share  float64 // of the slower side's highest throughput, which the rate was made from
	think  time.Duration
	length time.Duration
	// Rounds with the same number have the same scripts.
	number      int
	sampleEvery int64 // of so many answers one is read and compared
}

// The kinds of rounds.
const (
	kindWarmUp = "warm-up"
	kindSweep  = "sweep"  // closed loops at several numbers of browsers
	kindClosed = "closed" // the highest throughput
	kindOpen   = "open"   // latency at a fixed rate
)

// driveAll lets the browsers ask, and returns how long that took.
func driveAll(ctx context.Context, browsers []*browser, a asking) time.Duration {
	until := time.Now().Add(a.length)
	clients := make([]load.Client, len(browsers))
	for i, b := range browsers {
		clients[i] = b.follow
		if a.rate == 0 {
			clients[i] = func(ctx context.Context, _ load.Turn) { b.goOn(ctx, until, a.think) }
		}
		defer b.leave()
	}
	return load.Plan{Rate: a.rate, Length: a.length}.Run(ctx, clients...)
}

// follow makes a visit that is due in an open loop.
func (b *browser) follow(ctx context.Context, turn load.Turn) {
	b.tally.pace.Keep(turn)
	v := b.script.next()
	if turn.Err != nil {
		b.tally.errors++
		b.tally.complain(turn.Err.Error())
		return
	}
	b.take(ctx, &v, turn.Due)
}

// goOn makes a visit of a closed loop, and lets the customer think.
func (b *browser) goOn(ctx context.Context, until time.Time, think time.Duration) {
	v := b.script.next()
	b.take(ctx, &v, time.Time{})
	if think > 0 {
		_ = shop.Pause(ctx, min(time.Duration(v.think*float64(think)), time.Until(until)))
	}
}

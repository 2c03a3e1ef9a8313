package workload

import (
	"context"
	"time"

	"banyan/scripts/lab/load"
	"banyan/scripts/lab/shop"
)

// Asking is how a shop is asked for a while.
type Asking struct {
	Mix  Mix
	Seed uint64
	// Number of the round. The same mix, seed and number make the same scripts.
	Number   int
	Browsers int // each with one connection
	// Rate is the interactions per second of an open loop. Zero makes a closed loop: each browser asks again as
	// soon as it has its answer and its customer has thought.
	Rate        float64
	Think       time.Duration // mean
	Length      time.Duration
	SampleEvery int64 // of so many answers one is read and compared
}

// Browsers are those of one round. They take no connection before they ask.
type Browsers []*browser

// Browsers are as many as the load needs, each with its part of the customers.
func (c *Clientele) Browsers(a Asking) (Browsers, error) {
	browsers := make(Browsers, a.Browsers)
	for i := range browsers {
		b, err := c.browser(newScript(c.shop, a.Mix, a.Seed, a.Number, i), i, a.Browsers)
		if err != nil {
			return nil, err
		}
		b.sampleEvery = a.SampleEvery
		browsers[i] = b
	}
	return browsers, nil
}

// browser is one of so many, with its part of the customers.
func (c *Clientele) browser(visits *script, i, of int) (*browser, error) {
	conn, err := shop.NewConn(c.url)
	if err != nil {
		return nil, err
	}
	b := &browser{Clientele: c, script: visits, conn: conn, notes: newNotes(), sampleEvery: 1}
	for n := i; n < len(c.customers); n += of {
		b.visitors = append(b.visitors, c.customers[n])
	}
	return b, nil
}

// Drive lets the browsers ask, and returns how long that took.
func (all Browsers) Drive(ctx context.Context, a Asking) time.Duration {
	until := time.Now().Add(a.Length)
	clients := make([]load.Client, len(all))
	for i, b := range all {
		clients[i] = b.follow
		if a.Rate == 0 {
			clients[i] = func(ctx context.Context, _ load.Turn) { b.goOn(ctx, until, a.Think) }
		}
		defer b.leave()
	}
	return load.Plan{Rate: a.Rate, Length: a.Length}.Run(ctx, clients...)
}

// Tally is what they saw, all together.
func (all Browsers) Tally() *Tally {
	sum := NewTally()
	for _, b := range all {
		sum.Add(b.tally)
	}
	return sum
}

// follow makes a visit that is due in an open loop.
func (b *browser) follow(ctx context.Context, turn load.Turn) {
	b.note(func(t *Tally) { t.Pace.Keep(turn) })
	v := b.script.next()
	if turn.Err != nil {
		b.failed(turn.Err.Error(), turn.Err.Error())
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

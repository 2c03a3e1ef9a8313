package drive

import (
	"context"
	"time"

	"banyan/scripts/lab/load"
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

// Closed asks as fast as there are answers.
func Closed(ctx context.Context, l Load) (*load.Tally, error) { return Open(ctx, l, 0) }

// Open asks at a steady rate, whatever becomes of the requests before.
func Open(ctx context.Context, l Load, rate float64) (*load.Tally, error) {
	tallies, clients := make([]load.Tally, l.Clients), make([]load.Client, l.Clients)
	for i := range clients {
		c, err := newClient(l.Base)
		if err != nil {
			return nil, err
		}
		defer c.conn.Close()
		clients[i] = c.taking(l.Request, &tallies[i])
	}
	took := load.Plan{Rate: rate, Length: l.Length, Count: l.Count}.Run(ctx, clients...)
	all := &load.Tally{}
	for i := range tallies {
		all.Add(&tallies[i])
	}
	all.Took = took
	return all, ctx.Err()
}

// taking makes a request of each turn.
func (c *client) taking(request func(n int) Request, into *load.Tally) load.Client {
	return func(ctx context.Context, turn load.Turn) {
		into.Keep(turn)
		err := turn.Err
		if err == nil {
			err = c.do(ctx, request(turn.N))
		}
		if err != nil {
			into.Fail(err)
			return
		}
		into.Serve("", time.Since(turn.Due))
	}
}

package workload

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"banyan/scripts/lab/load"
)

// Options say who crowds a shop, and how densely.
type Options struct {
	// URL is the front that all of them ask.
	URL string
	// Visitors has to name the catalogue. Without a number of customers there are two for each browser; without keys there
	// are new ones.
	Visitors
	Browsers int     // each with one connection
	Rate     float64 // interactions per second, of all browsers together, whatever becomes of the answers
	Mixes    []Mix   // the browsers take them in turn, so that each has its share; none: the three
	Seed     uint64
	// SampleEvery says that of so many answers one is read and compared. Zero: each is.
	SampleEvery int64
	// Restock is how often the stock is filled up, a minute at most. Zero: every 15 s.
	Restock time.Duration
}

// idleAtMost is how long a connection may be unused. The shop closes it after 90 s, and an answer that does not come since its
// request crossed with that would count as an error.
const idleAtMost = time.Minute

func (o *Options) complete() error {
	if len(o.Mixes) == 0 {
		o.Mixes = Mixes
	}
	switch {
	case o.Catalogue == nil:
		return errors.New("a crowd has to know the catalogue: make it from the data that the shop was seeded with")
	case o.Rate <= 0:
		return fmt.Errorf("a crowd asks at a rate above zero, not at %g interactions per second", o.Rate)
	case o.Browsers < len(o.Mixes):
		return fmt.Errorf("%d browsers can't take %d mixes: have a browser for each at least", o.Browsers, len(o.Mixes))
	}
	o.Customers = cmp.Or(o.Customers, 2*o.Browsers)
	if o.Customers < o.Browsers {
		return fmt.Errorf("%d browsers need a customer each, and there are %d", o.Browsers, o.Customers)
	}
	if o.Keys == "" {
		o.Keys = "crowd-" + strings.SplitN(uuid.NewString(), "-", 2)[0]
	}
	o.SampleEvery = cmp.Or(o.SampleEvery, 1)
	o.Restock = cmp.Or(o.Restock, 15*time.Second)
	if o.Restock < 0 || o.Restock > idleAtMost {
		return fmt.Errorf("the stock is filled up every %s at least, not every %s: a connection that idles for longer is closed", idleAtMost, o.Restock)
	}
	if turn := float64(o.Browsers) / o.Rate; turn > idleAtMost.Seconds() {
		return fmt.Errorf("%d browsers would ask once in %.0f s each: have fewer, since a connection that idles for longer than %s is closed",
			o.Browsers, turn, idleAtMost)
	}
	return nil
}

// Crowd asks a shop until it is told to stop. It may be used by several goroutines at once.
type Crowd struct {
	browsers Browsers
	clerk    *browser // fills the stock up
	turnAway context.CancelFunc
	gone     sync.WaitGroup
	ctx      context.Context

	mu    sync.Mutex
	began time.Time // of the window that is open
	total *Window
}

// Begin signs the customers in, empties their carts, fills the stock up, and then lets the browsers ask, in an open loop,
// until [Crowd.Stop] or the end of ctx.
func Begin(ctx context.Context, o Options) (*Crowd, error) {
	if err := o.complete(); err != nil {
		return nil, fmt.Errorf("crowd a shop: %w", err)
	}
	people, err := SignIn(ctx, o.URL, o.Visitors)
	if err != nil {
		return nil, err
	}
	if err := people.EmptyCarts(ctx); err != nil {
		return nil, err
	}
	checkouts := 3 * o.Rate * o.Restock.Seconds() // until the stock has been filled up twice
	if err := people.FillUp(ctx, checkouts); err != nil {
		return nil, err
	}
	c := &Crowd{browsers: make(Browsers, o.Browsers), ctx: ctx}
	for i := range c.browsers {
		visits := newScript(people.shop, o.Mixes[i%len(o.Mixes)], o.Seed, 0, i)
		if c.browsers[i], err = people.browser(visits, i, o.Browsers); err != nil {
			return nil, err
		}
		c.browsers[i].sampleEvery = o.SampleEvery
	}
	if c.clerk, err = people.browser(nil, 0, 1); err != nil {
		return nil, err
	}
	c.begin(o, checkouts)
	return c, nil
}

// begin lets everybody in. The turns end with a context of their own, so that a request that is under way then is answered.
func (c *Crowd) begin(o Options, checkouts float64) {
	var turns context.Context
	turns, c.turnAway = context.WithCancel(c.ctx)
	c.began = time.Now()
	c.total = &Window{Name: "all", Began: c.began, Ended: c.began, Tally: NewTally(), Clerk: NewTally()}
	clients := make([]load.Client, len(c.browsers))
	for i, b := range c.browsers {
		clients[i] = func(_ context.Context, turn load.Turn) {
			b.follow(c.ctx, turn)
			b.settle(c.ctx)
		}
	}
	c.gone.Go(func() {
		load.Plan{Rate: o.Rate, Endless: true}.Run(turns, clients...)
		for _, b := range c.browsers {
			b.leave()
		}
	})
	c.gone.Go(func() {
		defer c.clerk.leave()
		again := time.NewTicker(o.Restock)
		defer again.Stop()
		for {
			select {
			case <-turns.Done():
				return
			case <-again.C:
				c.clerk.restock(c.ctx, checkouts)
			}
		}
	})
}

// Mark ends the window that began with the mark before, or with the crowd, and gives it this name. Answers count in the
// window in which they came.
func (c *Crowd) Mark(name string) *Window {
	c.mu.Lock()
	defer c.mu.Unlock()
	notes := []*notes{c.clerk.notes}
	for _, b := range c.browsers {
		notes = append(notes, b.notes)
	}
	seen, at := cutAll(notes)
	w := &Window{Name: name, Began: c.began, Ended: at, Tally: NewTally(), Clerk: seen[0]}
	complaints := [][]Complaint{w.Clerk.Complaints}
	for _, one := range seen[1:] {
		complaints = append(complaints, one.Complaints)
		w.Add(one)
	}
	w.Complaints = inTime(complaints)
	c.began = w.Ended
	c.total.add(w)
	return w
}

// Stop lets nobody in any more, waits for the answers that are under way, and returns what happened in all the windows
// together. It is an error if the crowd's context had ended before: nobody knows what the last requests came to.
func (c *Crowd) Stop() (*Window, error) {
	c.turnAway()
	c.gone.Wait()
	c.Mark("the rest")
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx.Err() != nil {
		return c.total, fmt.Errorf("the crowd was sent away before it was told to stop: %w", context.Cause(c.ctx))
	}
	return c.total, nil
}

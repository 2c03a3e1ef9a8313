package chaos

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"banyan/scripts/lab/shop"
	"banyan/scripts/lab/up"
)

// CrashOptions say how much trouble to make. All fields are needed, except for Out.
type CrashOptions struct {
	Side         string // up.Monolith or up.Services
	Checkouts    int
	Customers    int
	Seed         uint64        // of the schedule
	SweepAfter   time.Duration // for how long an order may be pending before the shop's sweeper takes it
	SettleWithin time.Duration // how long the shop gets to come to rest
	Patience     time.Duration // for how long a customer asks what became of a checkout
	Dir          string        // an empty folder for the lab
	Out          io.Writer     // is told the progress; nil is silent
}

// popular is how many books the customers fight for.
const popular = 6

// crash is one run.
type crash struct {
	options CrashOptions
	lab     *up.Lab
	shop    Shop
	began   time.Time

	people  []*shop.Person
	history history
	killer  killer
	done    atomic.Int64
}

// Crash starts a lab, kills its processes while customers buy, and judges what is left once it has come to
// rest. An error means that there was nothing to judge.
func Crash(ctx context.Context, options CrashOptions) (report *CrashReport, err error) {
	if options.Out == nil {
		options.Out = io.Discard
	}
	sweep := []string{"SWEEP_AFTER=" + options.SweepAfter.String()}
	err = up.With(ctx, up.Options{
		Only: options.Side, SeedSize: "small", Dir: options.Dir, RandomPorts: true, Out: options.Out,
		Env: map[string][]string{"monolith": sweep, "orders": sweep},
	}, func(ctx context.Context, lab *up.Lab) (err error) {
		state := lab.State()
		c := &crash{
			options: options, lab: lab, killer: killer{lab: lab},
			shop: Shop{Side: options.Side, URL: state.SideURL(options.Side), OutsideURL: state.OutsideURL},
		}
		report, err = c.run(ctx)
		return err
	})
	return report, err
}

func (c *crash) run(ctx context.Context) (*CrashReport, error) {
	client, err := c.shop.client(c.options.Customers)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	c.say("%d customers are signing in …", c.options.Customers)
	if c.people, err = shop.Readers(ctx, client, c.options.Customers); err != nil {
		return nil, err
	}
	books, err := popularBooks(ctx, c.people[0])
	if err != nil {
		return nil, err
	}
	evidence, err := gather(ctx, c.shop, c.lab.DatabaseURL(c.options.Side), c.lab.State().NATSURL)
	if err != nil {
		return nil, err
	}
	defer evidence.close()

	c.began = time.Now()
	plan := makePlan(c.options.Seed, c.options.Checkouts, c.options.Customers, books, c.victims())
	if err := c.load(ctx, plan); err != nil {
		return nil, err
	}
	loaded := time.Now()
	c.say("%d processes were killed; waiting until the shop has come to rest …", len(c.killer.deaths))
	left, last, err := evidence.await(ctx, c.options.SettleWithin)
	if err != nil {
		return nil, err
	}
	rested := time.Now()
	facts, err := evidence.facts(ctx, c.began, c.people)
	if err != nil {
		return nil, err
	}
	facts.left = left
	report := c.report(facts)
	report.Load, report.Rest, report.Last = loaded.Sub(c.began), rested.Sub(loaded), last
	return report, nil
}

// victims are the processes of the side, whose names are in the lab's state.
func (c *crash) victims() []string {
	if c.options.Side == up.Monolith {
		return []string{up.Monolith}
	}
	return slices.Clone(up.Ladder[len(up.Ladder)-1].Processes)
}

func popularBooks(ctx context.Context, p *shop.Person) (ids []string, err error) {
	best, err := p.Bestsellers(ctx, popular)
	for _, b := range best {
		ids = append(ids, b.ID)
	}
	return ids, err
}

// load lets all customers go through their visits while processes are killed, and returns when the last one has
// left and everything runs.
func (c *crash) load(ctx context.Context, plan plan) error {
	group, ctx := errgroup.WithContext(ctx)
	var shopping sync.WaitGroup
	for i, p := range c.people {
		customer := &customer{Person: p, patience: c.options.Patience, history: &c.history, done: &c.done}
		shopping.Add(1)
		group.Go(func() error {
			defer shopping.Done()
			return customer.goThrough(ctx, plan.customers[i])
		})
	}
	over := make(chan struct{})
	group.Go(func() error { shopping.Wait(); close(over); return nil })
	group.Go(func() error { return c.killer.work(ctx, plan.kills, over) })
	group.Go(func() error { c.tell(over); return nil })
	return group.Wait()
}

// tell says how far the customers are, until the run is over.
func (c *crash) tell(over <-chan struct{}) {
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-over:
			return
		case <-tick.C:
			c.say("%d of %d checkouts", c.done.Load(), c.options.Checkouts)
		}
	}
}

func (c *crash) say(format string, args ...any) { fmt.Fprintf(c.options.Out, format+"\n", args...) }

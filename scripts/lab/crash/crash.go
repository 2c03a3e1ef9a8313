package crash

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"banyan/scripts/lab/history"
	"banyan/scripts/lab/invariants"
	"banyan/scripts/lab/shop"
	"banyan/scripts/lab/up"
)

// Options say how much trouble to make. All fields are needed, except for Out.
type Options struct {
	Side         string // up.Monolith or up.Services
	Step         int    // of the ladder, at which the services' side is
	Checkouts    int
	Customers    int
	Seed         uint64        // of the schedule
	SweepAfter   time.Duration // for how long an order may be pending before the shop's sweeper takes it
	SettleWithin time.Duration // how long the shop gets to come to rest
	Patience     time.Duration // for how long a customer asks what became of a checkout
	Dir          string        // an empty folder for the lab
	Out          io.Writer     // is told the progress; nil is silent
}

// crash is one run.
type crash struct {
	options Options
	lab     *up.Lab
	began   time.Time

	people  []*shop.Person
	history history.History
	killer  killer
	done    atomic.Int64
}

// Run starts a lab, kills its processes while customers buy, and judges what is left once it has come to
// rest. An error means that there was nothing to judge.
func Run(ctx context.Context, options Options) (report *Report, err error) {
	if options.Out == nil {
		options.Out = io.Discard
	}
	sweep := []string{"SWEEP_AFTER=" + options.SweepAfter.String()}
	err = up.With(ctx, up.Options{
		Only: options.Side, Step: &options.Step, SeedSize: "small", Dir: options.Dir, RandomPorts: true, Out: options.Out,
		Env: map[string][]string{up.Monolith: sweep, up.Trunk: sweep, "orders": sweep},
	}, func(ctx context.Context, lab *up.Lab) (err error) {
		c := &crash{options: options, lab: lab, killer: killer{lab: lab}}
		report, err = c.run(ctx)
		return err
	})
	return report, err
}

func (c *crash) run(ctx context.Context) (*Report, error) {
	state := c.lab.State()
	client, err := shop.New(shop.Options{Connections: c.options.Customers}, state.SideURL(c.options.Side))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	c.say("%d customers are signing in …", c.options.Customers)
	if c.people, err = shop.Readers(ctx, client, c.options.Customers); err != nil {
		return nil, err
	}
	books, err := history.PopularBooks(ctx, c.people[0])
	if err != nil {
		return nil, err
	}
	c.began = time.Now()
	plan := makePlan(c.options.Seed, c.options.Checkouts, c.options.Customers, books, up.Processes(c.options.Side, state.Step))
	if err := c.load(ctx, plan); err != nil {
		return nil, err
	}
	loaded := time.Now()
	c.say("%d processes were killed; waiting until the shop has come to rest …", len(c.killer.deaths))
	judgement, facts, err := c.history.Judge(ctx, invariants.Where{
		Side: c.options.Side, Step: state.Step, Database: state.Databases[c.options.Side], Broker: state.NATSURL, OutsideURL: state.OutsideURL,
		Since: c.began,
	}, c.options.SettleWithin)
	if err != nil {
		return nil, err
	}
	return c.report(loaded, judgement, facts), nil
}

// load lets all customers go through their visits while processes are killed, and returns when the last one has
// left and everything runs.
func (c *crash) load(ctx context.Context, plan plan) error {
	group, ctx := errgroup.WithContext(ctx)
	var shopping sync.WaitGroup
	for i, p := range c.people {
		customer := &history.Customer{Person: p, Patience: c.options.Patience, History: &c.history}
		shopping.Add(1)
		group.Go(func() error {
			defer shopping.Done()
			return c.goThrough(ctx, customer, plan.customers[i])
		})
	}
	over := make(chan struct{})
	group.Go(func() error { shopping.Wait(); close(over); return nil })
	group.Go(func() error { return c.killer.work(ctx, plan.kills, over) })
	group.Go(func() error { c.tell(over); return nil })
	return group.Wait()
}

// goThrough lets a customer make their visits, one after the other.
func (c *crash) goThrough(ctx context.Context, customer *history.Customer, visits []history.Visit) error {
	for _, v := range visits {
		if err := shop.Pause(ctx, v.After); err != nil {
			return err
		}
		filled, err := customer.Fill(ctx, v.Lines)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			c.history.Begin(history.Attempt{Customer: customer.Email, Card: v.Card}).Odd = err.Error()
			continue
		}
		err = customer.Buy(ctx, v, customer.Begin(v, filled))
		if errors.Is(err, history.ErrStuck) {
			return nil
		}
		if err != nil {
			return err
		}
		c.done.Add(1)
	}
	return nil
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

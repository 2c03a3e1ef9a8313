package overload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"banyan/scripts/lab/load"
	"banyan/scripts/lab/shop"
	"banyan/scripts/lab/up"
)

// Options of a run.
type Options struct {
	Side   string
	Dir    string  // the lab's, of its own
	CPUs   float64 // for the shop with its database and broker; 0 is half of the processors
	Rounds int     // of best goodput and overload in turn, and then of payments up and down
	Phase  time.Duration
	Out    io.Writer // progress
}

const (
	customers = 500
	times     = 5               // what is asked, by what can be served
	settling  = 2 * time.Second // between phases
	asGood    = .95             // of the best goodput is as good
	passes    = 6               // over the crowds that are tried, for two phases each in all
	noticing  = time.Second     // before each phase counts: until a door has seen that it is overrun, and the crowd inside has gone
)

// sweep is how many customers are tried to find the best goodput: what is ordinary.
var sweep = []int{16, 32, 64}

// Run starts a lab with one side, overloads it, and judges what it did. An error means that there is nothing to judge.
func Run(ctx context.Context, o Options) (report *Report, err error) {
	where, err := newPlace(o.CPUs)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, where.leave()) }()
	err = up.With(ctx, up.Options{
		Only: o.Side, SeedSize: "small", Dir: o.Dir, RandomPorts: true, Out: o.Out,
		Env: map[string][]string{"gateway": {"RATE_LIMIT=off"}}, // all customers come from one address
	}, func(ctx context.Context, lab *up.Lab) (err error) {
		report, err = run(ctx, lab, o, where)
		return err
	})
	return report, err
}

func run(ctx context.Context, lab *up.Lab, o Options, where *place) (report *Report, err error) {
	url := lab.MonolithURL()
	if o.Side == up.Services {
		url = lab.GatewayURL()
	}
	say := func(format string, args ...any) { fmt.Fprintf(o.Out, format+"\n", args...) }
	say("customers sign in …")
	// net/http's connections cost several times as much CPU as raw ones, and at five times what a shop can do that would be
	// measured instead of the shop.
	client, err := shop.New(shop.Options{Raw: true, Within: answerWithin}, url)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	s, err := gather(ctx, client, customers)
	if err != nil {
		return nil, err
	}
	report = &Report{
		Side: o.Side, Times: times, Phase: o.Phase.String(), At: time.Now().UTC().Truncate(time.Second),
		CPUs: where.cpus, Shared: where.shared,
	}
	s.where = where
	if err := where.settle(lab); err != nil {
		return nil, err
	}
	if err := overrun(ctx, s, o, report, say); err != nil {
		return nil, err
	}
	if o.Side == up.Services {
		say("payments is killed and restarted, %d times, while people browse …", o.Rounds)
		time.Sleep(pendingIn)
		if report.Outage, err = s.outage(ctx, lab, o.Rounds, o.Phase); err != nil {
			return nil, err
		}
	}
	report.judge()
	return report, nil
}

// overrun finds the best goodput, and then measures it and the overload in turn.
func overrun(ctx context.Context, s *crowd, o Options, report *Report, say func(string, ...any)) error {
	s.closed(ctx, 16, o.Phase) // warm
	found := make([]*tally, len(sweep))
	for range passes { // in turn, since the machine is never the same for long
		for i, n := range sweep {
			t := s.closed(ctx, n, 2*o.Phase/passes)
			if found[i] == nil {
				found[i] = t
				continue
			}
			found[i].merge(t)
		}
	}
	best := 0.0
	for i, n := range sweep {
		p := Point{n, found[i].goodput(), float64(found[i].Refused.Count()) / float64(max(found[i].Served.Count(), 1))}
		report.Sweep = append(report.Sweep, p)
		say("%d customers: %.0f requests/s, %.1f in a thousand refused", n, p.Goodput, 1000*p.Refused)
		best = max(best, p.Goodput)
	}
	report.Concurrency = ordinary(report.Sweep, best)
	calm, storm := newTally(), newTally()
	for range o.Rounds {
		served := s.closed(ctx, report.Concurrency, o.Phase)
		rate := times * float64(served.served()) / served.window.Seconds() // what it has just shown it can serve
		asked := s.atRate(ctx, rate, noticing, o.Phase, func() (string, answer) { return s.ask(ctx, pickKind()) })
		say("best %.0f/s, at %.0f/s asked %.0f/s", served.goodput(), rate, asked.goodput())
		calm.merge(served)
		storm.merge(asked)
		time.Sleep(settling)
	}
	report.Rate = times * calm.goodput()
	report.Best, report.Overload = calm.phase(), storm.phase()
	report.Goodput = storm.goodput() / calm.goodput()
	return ctx.Err()
}

// ordinary is the largest crowd that is served as well as any, and of whom next to none are refused. If there is no such
// crowd, it is the smallest one, of which the judge says what is wrong.
func ordinary(sweep []Point, best float64) (customers int) {
	customers = sweep[0].Customers
	for _, p := range sweep {
		if p.Goodput >= asGood*best && p.Refused <= mostRefused {
			customers = p.Customers
		}
	}
	return customers
}

// goodput is what was served a second, of the processors that the customers have left the shop.
func (t *tally) goodput() float64 { return float64(t.served()) / t.left.Seconds() }

// served is what was served in the window.
func (t *tally) served() (n int64) {
	for _, of := range t.done {
		n += of
	}
	return n
}

// quantiles are the median and the 99th percentile, in milliseconds.
func quantiles(l *load.Latencies) (p50, p99 float64) {
	return ms(l.Percentile(50)), ms(l.Percentile(99))
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// phase is what is reported of a tally.
func (t *tally) phase() Phase {
	p := Phase{
		Goodput: t.goodput(), Accepted: int(t.Served.Count()), Declined: int(t.Declined), Refused: int(t.Refused.Count()), Shed: t.shed, Failed: int(t.Failed),
		Late: int(t.Late), Failures: t.failures, Kinds: map[string]Kind{},
	}
	p.P50, p.P99 = quantiles(&t.Served)
	p.RefusedP50, p.RefusedP99 = quantiles(&t.Refused)
	for _, m := range mix {
		of := t.Kind(m.kind)
		p50, p99 := quantiles(of)
		p.Kinds[m.kind] = Kind{float64(t.done[m.kind]) / t.left.Seconds(), p50, p99, t.refused[m.kind]}
	}
	return p
}

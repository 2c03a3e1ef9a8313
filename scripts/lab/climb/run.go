package climb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"banyan/scripts/lab/move"
	"banyan/scripts/lab/seed"
	"banyan/scripts/lab/up"
	"banyan/scripts/lab/workload"
)

// Options of a climb.
type Options struct {
	From     int           // the step at which the lab starts
	Areas    []string      // in the order in which they leave
	Passing  []string      // of these, the ones that only leave, to make way for the others
	MaxP99   time.Duration // the copier rests while customers wait longer; 0: it does not look
	Rate     float64       // interactions a second, of all three mixes
	Browsers int
	Seed     uint64
	SeedSize string
	Kill     bool // processes, the tool among them
	Dir      string
	Out      io.Writer
	// Judge holds the shop to the invariants and to the contract once it stands at its last step.
	Judge func(ctx context.Context, state *up.State) error
}

// What is done with each area: out, back, out again, for good; and with one that only makes way.
var (
	commands = []string{"extract", "rollback", "switch", "finalize"}
	passing  = []string{"extract", "finalize"}
)

// calm is for how long nothing happens before the first command and after the last one.
const calm = 3 * time.Second

// Run climbs in a lab of its own. An error means that the climb came to no end; what customers noticed is in the report.
func Run(ctx context.Context, o Options) (report *Report, err error) {
	err = up.With(ctx, up.Options{
		Only: up.Services, Step: &o.From, SeedSize: o.SeedSize, Dir: o.Dir, RandomPorts: true, Out: o.Out,
		Env: map[string][]string{"gateway": {"RATE_LIMIT=off"}}, // all customers come from one address
	}, func(ctx context.Context, lab *up.Lab) (err error) {
		c := &climb{Options: o, lab: lab, random: rand.New(rand.NewPCG(o.Seed, 0)), began: time.Now()}
		report, err = c.run(ctx)
		return err
	})
	return report, err
}

type climb struct {
	Options
	lab    *up.Lab
	random *rand.Rand
	began  time.Time
	crowd  *workload.Crowd
	kept   *workload.Keepsakes
	report Report
	killed []string // since the last command
}

func (c *climb) run(ctx context.Context) (_ *Report, err error) {
	c.report = Report{At: time.Now().UTC().Truncate(time.Second), Rate: c.Rate, Seed: c.Seed, SeedSize: c.SeedSize, From: c.From, Kill: c.Kill}
	if c.MaxP99 > 0 {
		c.report.MaxP99 = c.MaxP99.String()
	}
	url := c.lab.GatewayURL()
	if c.crowd, err = workload.Begin(ctx, workload.Options{
		URL: url, Visitors: workload.Visitors{Catalogue: workload.NewCatalogue(seed.Generate(seed.Size(c.SeedSize)))},
		Rate: c.Rate, Browsers: c.Browsers, Seed: c.Seed,
	}); err != nil {
		return nil, err
	}
	stopped := false
	defer func() {
		if !stopped {
			_, _ = c.crowd.Stop()
		}
	}()
	if err := pause(ctx, calm); err != nil {
		return nil, err
	}
	c.crowd.Mark("before")
	for _, area := range c.Areas {
		if err := c.move(ctx, area, url); err != nil {
			return nil, fmt.Errorf("%s: %w", area, err)
		}
	}
	if err := pause(ctx, calm); err != nil {
		return nil, err
	}
	stopped = true
	all, err := c.crowd.Stop()
	if err != nil {
		return nil, err
	}
	c.report.Customers = customersOf(all)
	c.report.Seconds = time.Since(c.began).Seconds()
	state := c.lab.State()
	c.report.Step = state.Step
	if err := c.Judge(ctx, &state); err != nil {
		c.report.Judged = err.Error()
	}
	return &c.report, nil
}

// move takes one area through its commands.
func (c *climb) move(ctx context.Context, area, url string) (err error) {
	all := commands
	if slices.Contains(c.Passing, area) {
		all = passing
	}
	for _, name := range all {
		c.killed = nil
		if c.kept, err = workload.Collect(ctx, url); err != nil {
			return fmt.Errorf("before %s: %w", name, err)
		}
		if err := c.command(ctx, name, area); err != nil {
			return err
		}
		if err := c.kept.Use(ctx); err != nil {
			c.report.Lost = append(c.report.Lost, fmt.Sprintf("%s %s: %v", name, area, err))
		}
		w := c.crowd.Mark(name + " " + area)
		c.report.note(name+" "+area, c.killed, w)
		fmt.Fprintf(c.Out, "         customers: %s\n", w)
	}
	record, err := move.Recorded(c.lab.State().Dir, area)
	if err != nil {
		return err
	}
	c.report.Moves = append(c.report.Moves, record)
	return nil
}

// command runs a command as a person would, and again after a kill, until it is done.
func (c *climb) command(ctx context.Context, name, area string) error {
	const runs = 6
	for run := 1; ; run++ {
		var plan *kill
		if c.Kill && run <= 2 && name != "finalize" {
			plan = c.draw(name, area)
		}
		err := c.tool(ctx, name, area, plan)
		if plan != nil && plan.done {
			c.killed = append(c.killed, plan.String())
		}
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case plan == nil && !c.Kill, run == runs:
			return fmt.Errorf("lab %s %s: %w", name, area, err)
		}
		fmt.Fprintf(c.Out, "lab %s %s: %v; it is run again\n", name, area, err)
		if err := pause(ctx, time.Second); err != nil {
			return err
		}
	}
}

// self is this program, which is the tool as well.
func self() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", errors.Join(errors.New("find this program, to run it again"), err)
	}
	return path, nil
}

func pause(ctx context.Context, wait time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(wait):
		return nil
	}
}

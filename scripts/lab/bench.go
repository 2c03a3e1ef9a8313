package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"banyan/scripts/lab/bench"
	"banyan/scripts/lab/up"
)

type benchCommand struct {
	Quick      bool     `help:"Short rounds: about a minute in all."`
	Mix        []string `help:"Measure this mix only: browsing, shopping or ordering; may be repeated. Default: all three."`
	Seconds    float64  `help:"Load per round, in seconds. Default: 10, with --quick 2."`
	Rounds     int      `help:"Rounds per mix and side. Default: 5, with --quick 3."`
	Browsers   int      `help:"Emulated browsers per side, each with one connection." default:"16"`
	WithLogins bool     `help:"Customer Registration registers and signs in for real, with the cost of hashing passwords."`
}

func (c *benchCommand) Help() string {
	return "TPC-W's mixes against both sides of the lab, in turns (docs/benchmarks/workload.md). A running lab is used as it is; " +
		"without one, the benchmark starts one with data of its own and stops it afterwards. Nothing else should run on the machine."
}

func (c *benchCommand) Run(ctx context.Context, line *commands, to streams) error {
	options, err := c.options()
	if err != nil {
		return err
	}
	options.Out = to.err
	ctx, cancel := withGoRun(ctx)
	defer cancel()

	report, err := c.measure(ctx, line.Dir, options, to)
	if ctx.Err() != nil {
		fmt.Fprintln(to.err, "Stopped before there was a result.")
		return exitCode(130)
	}
	if err != nil {
		return err
	}
	if line.JSON {
		err = json.NewEncoder(to.out).Encode(report)
	} else {
		err = report.WriteTable(to.out)
	}
	if err == nil && !report.Valid {
		return exitCode(1)
	}
	return err
}

func (c *benchCommand) options() (bench.Options, error) {
	options := bench.Full()
	if c.Quick {
		options = bench.Quick()
	}
	if len(c.Mix) > 0 {
		options.Mixes = nil
	}
	for _, name := range c.Mix {
		mix, err := bench.FindMix(name)
		if err != nil {
			return options, err
		}
		options.Mixes = append(options.Mixes, mix)
	}
	if c.Seconds != 0 {
		options.Length = time.Duration(c.Seconds * float64(time.Second))
	}
	if c.Rounds != 0 {
		options.Rounds = c.Rounds
	}
	options.Browsers, options.WithLogins = c.Browsers, c.WithLogins
	options.Customers = max(options.Customers, c.Browsers)
	return options, nil
}

// measure works on the running lab, or on one of its own.
func (c *benchCommand) measure(ctx context.Context, dir string, options bench.Options, to streams) (report *bench.Report, err error) {
	state, err := up.Running(dir)
	if err == nil {
		return bench.Run(ctx, state, options)
	}
	if !errors.Is(err, up.ErrNotRunning) {
		return nil, err
	}
	fmt.Fprintln(to.err, "No lab is running: starting one for the benchmark.")
	// All browsers have one address. The limiter stays on, and its cost with it.
	env := map[string][]string{"gateway": {"RATE_LIMIT=1000000/s"}}
	err = withLab(ctx, up.Options{Env: env, Out: to.err}, func(lab *up.Lab) (err error) {
		report, err = measureOwn(ctx, lab, options)
		return err
	})
	return report, err
}

// measureOwn ends early, with the reason, when a process of the lab dies.
func measureOwn(ctx context.Context, lab *up.Lab, options bench.Options) (*bench.Report, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	watched := make(chan error)
	go func() {
		crash := lab.Wait(ctx)
		cancel(crash)
		watched <- crash
	}()
	state := lab.State()
	report, err := bench.Run(ctx, &state, options)
	cancel(nil)
	if crash := <-watched; crash != nil {
		return nil, crash
	}
	return report, err
}

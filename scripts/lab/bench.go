package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
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
		"without one, the benchmark starts one and stops it afterwards. Nothing else should run on the machine."
}

func (c *benchCommand) Run(ctx context.Context, line *commands, to streams) error {
	options, err := c.options()
	if err != nil {
		return err
	}
	options.Out = to.err
	ctx, cancel := withGoRun(ctx)
	defer cancel()

	state, stop, err := runningOrOwn(ctx, line.Dir, to)
	var report *bench.Report
	if err == nil {
		report, err = measure(ctx, state, options)
		err = errors.Join(err, stop())
	}
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

// lab is what is measured. Its broken context ends when a process of a lab of our own dies.
type lab struct {
	state *up.State
	own   *up.Lab // nil: somebody else's
}

// runningOrOwn finds the running lab, or starts one, which stop then ends.
func runningOrOwn(ctx context.Context, dir string, to streams) (found lab, stop func() error, err error) {
	state, err := up.Running(dir)
	if !errors.Is(err, up.ErrNotRunning) {
		return lab{state: state}, func() error { return nil }, err
	}
	fmt.Fprintln(to.err, "No lab is running: starting one for the benchmark.")
	own, err := up.Start(ctx, up.Options{
		Dir:         dir,
		DatabaseURL: os.Getenv("DATABASE_URL"),
		// All browsers have one address. The limiter stays on, and its cost with it.
		Env: map[string][]string{"gateway": {"RATE_LIMIT=1000000/s"}},
		Out: to.err,
	})
	if err != nil {
		return lab{}, nil, err
	}
	running := own.State()
	return lab{&running, own}, func() error {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
		defer cancel()
		return own.Stop(stopping)
	}, nil
}

// measure ends early when a lab of our own breaks.
func measure(ctx context.Context, what lab, options bench.Options) (*bench.Report, error) {
	if what.own == nil {
		return bench.Run(ctx, what.state, options)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		cancel(what.own.Wait(ctx)) // nil once the measuring is over
	}()
	report, err := bench.Run(ctx, what.state, options)
	cancel(nil)
	<-done
	return report, err
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"banyan/scripts/lab/bench"
	"banyan/scripts/lab/up"
	"banyan/scripts/lab/workload"
)

type benchCommand struct {
	Quick bool `help:"Short rounds, more of them where the ratio is not clear: two minutes in all." xor:"how"`
	Full  bool `help:"All there is to measure: the step between, single pages, the limits of the machine. Twenty-five minutes." xor:"how"`

	SkipLimits bool `help:"With --full: leave out the limits, which are measured in labs of their own."`

	Steps      []int         `help:"Steps of the ladder to compare; any but 0, 1 and 8 gives each step a lab of its own. Default: 0,8, with --full 0,1,8." placeholder:"N,…"`
	Mix        []string      `help:"Measure this mix only: browsing, shopping or ordering; may be repeated. Default: all three."`
	SeedSize   string        `help:"How much data to measure with: small, medium or large. Default: that of the running lab, or small." enum:",small,medium,large" default:"" placeholder:"SIZE"`
	Seconds    float64       `help:"Load per round, in seconds. Default: 4, with --quick 1.5."`
	Rounds     int           `help:"Rounds per mix and side. Default: 5, with --quick more where the range of the ratio is wide."`
	Browsers   int           `help:"Emulated browsers per side, each with one connection. Default: those of the sweep that did best; with --quick 16."`
	Sweep      []int         `help:"Numbers of browsers to try first. Default: 4,8,16,32,64; with --quick or --browsers none." placeholder:"N,…"`
	Think      time.Duration `help:"How long customers think between two pages of the closed loop, on average. Default: not at all." placeholder:"TIME"`
	WithLogins bool          `help:"Customer Registration registers and signs in for real, with the cost of hashing passwords."`

	Report string `help:"Write docs/benchmarks/NAME/report.md, with pictures and the raw lines beside it." placeholder:"NAME"`
	Raw    string `help:"Write a line of JSON per round to this file." type:"path" placeholder:"FILE"`
}

func (c *benchCommand) Help() string {
	return "TPC-W's mixes against the sides of the lab, in turns (docs/benchmarks/workload.md). A running lab is used as it is, and has to hold " +
		"fresh data. Without one, or beside one that lacks a step or holds another size, the benchmark starts one on free ports with data of its own, and stops it " +
		"afterwards; --full always does. With steps between the ends it starts a lab for each step. Nothing else should run on the machine."
}

func (c *benchCommand) Run(ctx context.Context, line *commands, to streams) error {
	options, err := c.options()
	if err != nil {
		return err
	}
	options.Out = to.err
	var lines bytes.Buffer // kept for the report's folder as well
	options.Raw = &lines
	if c.Raw != "" {
		file, err := os.Create(c.Raw)
		if err != nil {
			return fmt.Errorf("write the raw lines: %w", err)
		}
		defer file.Close()
		options.Raw = io.MultiWriter(&lines, file)
	}
	ctx, cancel := withGoRun(ctx)
	defer cancel()

	report, err := c.measure(ctx, line.Dir, options, to)
	if err == nil && c.Full && !c.SkipLimits {
		addAnnexes(ctx, report, to.err)
	}
	if ctx.Err() != nil {
		fmt.Fprintln(to.err, "Stopped before there was a result.")
		return exitCode(130)
	}
	if err != nil {
		return err
	}
	if err := report.WriteLine(options.Raw); err != nil {
		return err
	}
	if c.Report != "" {
		folder, err := report.Save(c.Report, lines.Bytes())
		if err != nil {
			return err
		}
		fmt.Fprintf(to.err, "The report is in %s.\n", folder)
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
	options := bench.Standard()
	switch {
	case c.Quick:
		options = bench.Quick()
	case c.Full:
		options = bench.Full()
	}
	if len(c.Steps) > 0 {
		options.Steps = c.Steps
	}
	for _, step := range options.Steps {
		if err := bench.CanRun(step); err != nil {
			return options, err
		}
	}
	if len(c.Mix) > 0 {
		options.Mixes = nil
	}
	for _, name := range c.Mix {
		mix, err := workload.FindMix(name)
		if err != nil {
			return options, err
		}
		options.Mixes = append(options.Mixes, mix)
	}
	if c.Seconds != 0 {
		options.Length = time.Duration(c.Seconds * float64(time.Second))
	}
	if c.Rounds != 0 {
		options.Rounds, options.MostRounds, options.Within = c.Rounds, 0, 0 // just these
	}
	if c.Browsers != 0 {
		options.Browsers, options.Sweep = c.Browsers, nil
	}
	if len(c.Sweep) > 0 {
		options.Sweep = c.Sweep
		if c.Browsers == 0 {
			options.Browsers = 0
		}
	}
	if c.Report != "" {
		if err := bench.CheckName(c.Report); err != nil {
			return options, err
		}
	}
	options.Think, options.WithLogins = c.Think, c.WithLogins
	options.Customers = max(options.Customers, c.Browsers)
	for _, browsers := range c.Sweep {
		options.Customers = max(options.Customers, browsers)
	}
	return options, options.Validate()
}

// measure works on the running lab, if that will do, or on one of its own.
func (c *benchCommand) measure(ctx context.Context, dir string, options bench.Options, to streams) (report *bench.Report, err error) {
	if bench.NeedsLabs(options.Steps) {
		fmt.Fprintln(to.err, "Each step needs a lab of its own: starting them on free ports, one after another.")
		return c.climb(ctx, options, to)
	}
	state, err := up.Running(dir)
	switch {
	case errors.Is(err, up.ErrNotRunning):
		fmt.Fprintln(to.err, "No lab is running: starting one for the benchmark.")
	case err != nil && !c.Full:
		return nil, err
	default:
		why := c.unfit(state, options)
		if why == "" {
			return bench.Run(ctx, state, options)
		}
		fmt.Fprintf(to.err, "A lab runs already, but %s: starting another one for the benchmark, on free ports. "+
			"Stop the first with lab down before you measure what is to be published: it takes some of the machine.\n", why)
	}
	lab := c.lab(to)
	if slices.Contains(options.Steps, 1) {
		lab.Facade, lab.Env["facade"] = true, lab.Env["gateway"]
	}
	err = up.Scratch(ctx, lab, func(ctx context.Context, lab *up.Lab) (err error) {
		state := lab.State()
		report, err = bench.Run(ctx, &state, options)
		return err
	})
	return report, err
}

// lab is how the benchmark starts a lab of its own.
func (c *benchCommand) lab(to streams) up.Options {
	return up.Options{
		SeedSize: c.SeedSize, Out: to.err,
		// All browsers have one address. The limiters stay on, and their cost with them.
		Env: map[string][]string{"gateway": {"RATE_LIMIT=1000000/s"}},
	}
}

// climb measures the steps in a lab each. All labs run during the run.
func (c *benchCommand) climb(ctx context.Context, options bench.Options, to streams) (report *bench.Report, err error) {
	steps := slices.Clone(options.Steps)
	slices.Sort(steps)
	steps = slices.Compact(steps)
	var states []*up.State
	var next func(ctx context.Context) error
	next = func(ctx context.Context) error {
		if len(states) == len(steps) {
			report, err = bench.RunLadder(ctx, states, options)
			return err
		}
		lab := c.lab(to)
		lab.Only, lab.Step = up.Services, &steps[len(states)]
		fmt.Fprintf(to.err, "Step %d:\n", *lab.Step)
		return up.Scratch(ctx, lab, func(ctx context.Context, lab *up.Lab) error {
			state := lab.State()
			states = append(states, &state)
			return next(ctx)
		})
	}
	err = next(ctx)
	return report, err
}

// unfit says why the running lab will not do; nothing if it will.
func (c *benchCommand) unfit(state *up.State, options bench.Options) string {
	if c.Full {
		return "a full report is made on fresh data"
	}
	if c.SeedSize != "" && c.SeedSize != state.SeedSize {
		return fmt.Sprintf("its data are of size %s and not %s", state.SeedSize, c.SeedSize)
	}
	if step, missing := bench.Missing(state, options.Steps); missing {
		return fmt.Sprintf("it does not have step %d", step)
	}
	return ""
}

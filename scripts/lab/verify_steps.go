package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"text/tabwriter"
	"time"

	"banyan/scripts/lab/crash"
	"banyan/scripts/lab/up"
	"banyan/scripts/lab/verify"
)

// stepJudged is what verify finds at one step of the ladder.
type stepJudged struct {
	Step int `json:"step"`
	judgement
	Crash   *crash.Report `json:"crash"`
	Seconds float64       `json:"seconds"`
}

// climb judges steps of the ladder, each on a lab of its own with new data, and then on another one whose processes are
// killed while customers buy. Step 0 is the control: the same program on both sides.
func (c *verifyCommand) climb(ctx context.Context, line *commands, to streams, out io.Writer) error {
	ctx, cancel := withGoRun(ctx)
	defer cancel()
	steps, err := c.stepsAsked()
	if err != nil {
		return err
	}
	var all []stepJudged
	var failed error
	for _, step := range steps {
		fmt.Fprintf(out, "--- step %d\n", step)
		judged, err := c.judgeStep(ctx, step, to, out)
		if err != nil {
			return fmt.Errorf("verify step %d: %w", step, err)
		}
		if err := judged.err(); err != nil {
			failed = errors.Join(failed, fmt.Errorf("step %d: %w", step, err))
		}
		all = append(all, *judged)
	}
	if line.JSON {
		err = json.NewEncoder(to.out).Encode(all)
	} else {
		err = printJudged(to.out, all)
	}
	return errors.Join(failed, err)
}

func (c *verifyCommand) stepsAsked() ([]int, error) {
	if c.Only != "" {
		return nil, fmt.Errorf("steps are held against the monolith: --only leaves one of the two out")
	}
	if c.AllSteps {
		c.Steps = nil
		for _, step := range up.Ladder {
			c.Steps = append(c.Steps, step.Number)
		}
	}
	for _, step := range c.Steps {
		if _, err := up.FindStep(step); err != nil {
			return nil, err
		}
	}
	if c.Seed == 0 {
		c.Seed = rand.Uint64N(1_000_000) + 1
	}
	return slices.Compact(c.Steps), nil
}

func (c *verifyCommand) judgeStep(ctx context.Context, step int, to streams, out io.Writer) (*stepJudged, error) {
	began := time.Now()
	judged := &stepJudged{Step: step}
	defer func() { judged.Seconds = time.Since(began).Seconds() }()
	err := up.Scratch(ctx, up.Options{Step: &step, Out: to.err}, func(ctx context.Context, lab *up.Lab) error {
		state := lab.State()
		found, err := c.judge(ctx, &state, []string{up.Services}, out, to.err)
		if err == nil {
			judged.judgement = *found
		}
		return err
	})
	if err != nil || c.Checkouts == 0 {
		return judged, err
	}
	kills := crashCommand{
		Step: step, Checkouts: c.Checkouts, Customers: min(48, c.Checkouts), Seed: c.Seed,
		SweepAfter: 2 * time.Second, SettleWithin: time.Minute,
	}
	if judged.Crash, err = kills.crash(ctx, up.Services, to); err != nil {
		return judged, err
	}
	return judged, judged.Crash.Print(out)
}

func (j *stepJudged) err() error {
	err := j.judgement.err()
	if j.Crash != nil && !j.Crash.Passed() {
		err = errors.Join(err, fmt.Errorf("it did not survive the kills: %s", j.Crash.Reason()))
	}
	return err
}

func printJudged(out io.Writer, all []stepJudged) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "step\trequests\tdifferences\tcontract\tinvariants\tcheckouts\tkills\tbroken after\tseconds\t")
	for _, j := range all {
		requests, differences, contract, broken := 0, 0, "-", 0
		if j.Differential != nil {
			requests, differences = j.Differential.Requests, len(j.Differential.Differences)
		}
		if n := len(j.Contract); n > 0 {
			contract = "ok"
			if slices.ContainsFunc(j.Contract, func(v verify.Verdict) bool { return !v.Passed }) {
				contract = "broken"
			}
		}
		verdicts := j.Invariants[up.Services]
		for _, v := range verdicts {
			broken += min(int(v.Broken), 1)
		}
		checkouts, kills, after := 0, 0, "-"
		if j.Crash != nil {
			checkouts = j.Crash.Checkouts
			for _, n := range j.Crash.Kills {
				kills += n
			}
			after = fmt.Sprintf("%d of %d", len(j.Crash.Broken()), len(j.Crash.Invariants))
		}
		fmt.Fprintf(table, "%d\t%d\t%d\t%s\t%d of %d broken\t%d\t%d\t%s\t%.0f\t\n", j.Step, requests, differences, contract,
			broken, len(verdicts), checkouts, kills, after, j.Seconds)
	}
	return table.Flush()
}

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"banyan/scripts/lab/ladder"
	"banyan/scripts/lab/move"
	"banyan/scripts/lab/up"
)

// What the commands that move an area have in common.
type moving struct {
	Area string `arg:"" help:"notifications, accounts, catalog, inventory, payments, shipping or orders."`
}

// consent is the flag of a command that changes who serves customers, or drops what can't be had back.
type consent struct {
	Yes bool `help:"Do not ask. Without a terminal it is needed."`
}

// asked returns an error unless a person says yes.
func (c consent) asked(to streams, question string) error {
	if c.Yes {
		return nil
	}
	info, err := os.Stdin.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return wrongUse(fmt.Errorf("%s There is no terminal to ask at: say --yes", question))
	}
	fmt.Fprintf(to.err, "%s [y/N] ", question)
	answer, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil || !strings.HasPrefix(strings.ToLower(strings.TrimSpace(answer)), "y") {
		return errors.New("not done, and nothing is changed")
	}
	return nil
}

// with opens the area's move, does something with it, and says what to do next.
func (c *moving) with(ctx context.Context, line *commands, to streams, do func(*move.Move) error) error {
	state, err := up.Running(line.Dir)
	if err != nil {
		return err
	}
	m, err := move.Open(ctx, state, c.Area, to.err)
	if err != nil {
		return moveError(err)
	}
	err = do(m)
	err = errors.Join(err, m.Close(ctx))
	if err != nil {
		return moveError(err)
	}
	return c.tell(ctx, line, to)
}

// agreed is with, once a person has said yes to a question.
func (c *moving) agreed(ctx context.Context, line *commands, to streams, person consent, question string, do func(*move.Move) error) error {
	if err := person.asked(to, question); err != nil {
		return err
	}
	return c.with(ctx, line, to, do)
}

// tell says where the area stands now and what to do next.
func (c *moving) tell(ctx context.Context, line *commands, to streams) error {
	state, err := up.Running(line.Dir)
	if err != nil {
		return err
	}
	all, err := c.released(ctx, state)
	if err != nil {
		return err
	}
	for _, s := range all {
		if s.Area != c.Area {
			continue
		}
		if line.JSON {
			return json.NewEncoder(to.out).Encode(s)
		}
		return move.PrintStatus(to.out, []move.Status{s})
	}
	return nil
}

// released reads where the areas stand once PostgreSQL has noticed that this tool has let go of its own.
func (c *moving) released(ctx context.Context, state *up.State) (all []move.Status, err error) {
	for end := time.Now().Add(time.Second); ; time.Sleep(20 * time.Millisecond) {
		if all, err = move.ReadStatus(ctx, state); err != nil {
			return nil, err
		}
		held := slices.ContainsFunc(all, func(s move.Status) bool { return s.Area == c.Area && s.AtWork })
		if !held || time.Now().After(end) {
			return all, nil
		}
	}
}

// moveError gives wrong use its exit code.
func moveError(err error) error {
	var stage *move.StageError
	var use *move.UseError
	if errors.As(err, &stage) || errors.As(err, &use) {
		return wrongUse(err)
	}
	return err
}

type extractCommand struct {
	moving
	consent
	DryRun     bool          `help:"Run all that only reads, change nothing, and print the plan."`
	Until      string        `help:"Stop after this: backfill, verify, shadow or switch (which hands over)." enum:",backfill,verify,shadow,switch" default:""`
	BatchSize  int           `help:"Aggregates in a range of the backfill." default:"5000"`
	BatchDelay time.Duration `help:"Rest after each range." default:"0s"`
	MaxP99     time.Duration `name:"max-p99" help:"Rest while customers at the gateway wait longer, such as 50ms. 0s does not look." default:"0s"`
}

func (c *extractCommand) Help() string {
	return "Takes an area out of the running trunk while customers buy: notes changes, copies, catches up, compares, and " +
		"tries the service in standby. It stops before the switch and says how to go on; --yes goes on. It can be killed and run " +
		"again anywhere."
}

func (c *extractCommand) Run(ctx context.Context, line *commands, to streams) error {
	switch {
	case c.BatchSize < 1:
		return wrongUse(fmt.Errorf("--batch-size %d: a range has at least one aggregate", c.BatchSize))
	case c.BatchDelay < 0 || c.MaxP99 < 0:
		return wrongUse(errors.New("--batch-delay and --max-p99 are times, and not negative"))
	case c.DryRun && (c.Yes || c.Until != ""):
		return wrongUse(errors.New("--dry-run changes nothing: leave out --yes and --until"))
	}
	if c.DryRun {
		return c.plan(ctx, line, to)
	}
	until := c.Until
	if until == "" && c.Yes {
		until = move.UntilSwitch
	}
	if until == move.UntilSwitch {
		if err := c.asked(to, "The switch holds customers for some tenths of a second. Hand "+c.Area+" over when it is copied?"); err != nil {
			return err
		}
	}
	ctx, cancel := withGoRun(ctx)
	defer cancel()
	return c.with(ctx, line, to, func(m *move.Move) error {
		pace := move.Pace{BatchSize: c.BatchSize, BatchDelay: c.BatchDelay, MaxP99: c.MaxP99}
		if err := m.Extract(ctx, pace, until); err != nil || until != move.UntilSwitch {
			return err
		}
		return m.Switch(ctx)
	})
}

func (c *extractCommand) plan(ctx context.Context, line *commands, to streams) error {
	state, err := up.Running(line.Dir)
	if err != nil {
		return err
	}
	plan, err := move.MakePlan(ctx, state, c.Area)
	if err != nil {
		return moveError(err)
	}
	if line.JSON {
		return json.NewEncoder(to.out).Encode(plan)
	}
	return plan.Print(to.out)
}

type switchCommand struct {
	moving
	consent
}

func (c *switchCommand) Help() string {
	return "Hands a copied area over to its service: compares both sides, holds requests at the gateway, replaces the trunk, " +
		"moves the right to write, and lets go. Customers wait for some tenths of a second, and none gets an error."
}

func (c *switchCommand) Run(ctx context.Context, line *commands, to streams) error {
	return c.agreed(ctx, line, to, c.consent, "Customers wait for some tenths of a second. Hand "+c.Area+" over?", func(m *move.Move) error { return m.Switch(ctx) })
}

type rollbackCommand struct {
	moving
	consent
}

func (c *rollbackCommand) Help() string {
	return "Hands a switched area back to the monolith, with all that was written since. Switch it again whenever you like: it " +
		"needs no second copy."
}

func (c *rollbackCommand) Run(ctx context.Context, line *commands, to streams) error {
	return c.agreed(ctx, line, to, c.consent, "Customers wait for some tenths of a second. Hand "+c.Area+" back to the monolith?", func(m *move.Move) error { return m.Rollback(ctx) })
}

type cancelCommand struct {
	moving
	consent
}

func (c *cancelCommand) Help() string {
	return "Undoes a move before its switch: triggers and the copy go; nothing else was touched. After the switch, rollback comes first."
}

func (c *cancelCommand) Run(ctx context.Context, line *commands, to streams) error {
	return c.agreed(ctx, line, to, c.consent, "Throw the copy of "+c.Area+" away?", func(m *move.Move) error { return m.Cancel(ctx) })
}

type finalizeCommand struct {
	moving
	consent
	KeepData bool `help:"Keep what is left behind in the monolith's schema, under names that end in _old."`
}

func (c *finalizeCommand) Help() string {
	return "Drops what a switched area has left behind in the monolith, and the triggers. There is no way back after it."
}

func (c *finalizeCommand) Run(ctx context.Context, line *commands, to streams) error {
	return c.agreed(ctx, line, to, c.consent, "There is no rollback afterwards. Drop what "+c.Area+" has left behind?", func(m *move.Move) error { return m.Finalize(ctx, c.KeepData) })
}

type verifyDataCommand struct {
	moving
	MaxSamples int  `help:"How many rows that differ are named." default:"10"`
	Repair     bool `help:"Copy the rows that differ again."`
}

func (c *verifyDataCommand) Help() string {
	return "Compares an area's rows on both sides while everything is at work. It can't see a row that the view derives wrongly."
}

func (c *verifyDataCommand) Run(ctx context.Context, line *commands, to streams) error {
	if c.MaxSamples < 1 {
		return wrongUse(errors.New("--max-samples is at least 1"))
	}
	var report ladder.Report
	err := c.quietly(ctx, line, to, func(m *move.Move) (err error) {
		report, err = m.VerifyData(ctx, c.MaxSamples, c.Repair)
		return err
	})
	if err != nil {
		return err
	}
	if line.JSON {
		err = json.NewEncoder(to.out).Encode(report)
	} else {
		_, err = fmt.Fprintln(to.out, report)
	}
	if err == nil && report.Drifted == 0 {
		return c.tell(ctx, &commands{Dir: line.Dir}, streams{to.err, to.err})
	}
	if err == nil {
		next := fmt.Sprintf("next: lab verify-data %s --repair   copies these rows again", c.Area)
		if c.Repair {
			next = fmt.Sprintf("next: lab verify-data %s   compares once more", c.Area)
		}
		fmt.Fprintln(to.err, next)
		if !c.Repair {
			return exitCode(1)
		}
	}
	return err
}

// quietly is with, without a word about what to do next.
func (c *moving) quietly(ctx context.Context, line *commands, to streams, do func(*move.Move) error) error {
	state, err := up.Running(line.Dir)
	if err != nil {
		return err
	}
	m, err := move.Open(ctx, state, c.Area, to.err)
	if err != nil {
		return moveError(err)
	}
	return errors.Join(moveError(do(m)), m.Close(ctx))
}

type driftCommand struct {
	moving
	Kind string `arg:"" help:"lost (an update), deleted (a row) or changed (a value)." enum:"lost,deleted,changed"`
}

func (c *driftCommand) Help() string {
	return "Plants a difference between both sides behind the triggers' back, to see that verify-data finds it. For experiments: " +
		"it changes a customer's data."
}

func (c *driftCommand) Run(ctx context.Context, line *commands, to streams) error {
	return c.quietly(ctx, line, to, func(m *move.Move) error {
		planted, err := m.Plant(ctx, c.Kind)
		if err != nil {
			return err
		}
		if line.JSON {
			return json.NewEncoder(to.out).Encode(planted)
		}
		fmt.Fprintf(to.out, "planted: %s\nnext: lab verify-data %s   names it\n", planted, c.Area)
		return nil
	})
}

// wrongUse is an error with exit code 2.
func wrongUse(err error) error { return usageError{err} }

type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

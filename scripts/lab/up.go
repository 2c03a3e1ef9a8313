package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"banyan/scripts/lab/up"
)

type upCommand struct {
	Only       string `help:"Start one side only: monolith or services."`
	Step       *int   `help:"The step of the ladder to run beside the monolith, 0 to 8. Default: where the data stand, or 8. Data climb to a higher step, never down, and stay where they are while an area is on its way."`
	Without    string `help:"Do not start this process; print the environment that a debugger needs to run it, and go on once it answers." placeholder:"SERVICE"`
	SeedSize   string `help:"How much data to start with: small, medium, large, or huge (a million orders, without the monolith). Default: what is there, or small."`
	Fresh      bool   `help:"Remove the data of earlier runs first."`
	PortOffset int    `help:"Add this to every port, to stay out of another program's way."`
}

// stopWithin bounds the stop of all processes; what still runs then is killed.
const stopWithin = 30 * time.Second

func (c *upCommand) Run(ctx context.Context, line *commands, to streams) error {
	ctx, cancel := withGoRun(ctx)
	defer cancel()
	lab, err := up.Start(ctx, up.Options{
		Only:        c.Only,
		Step:        c.Step,
		Without:     c.Without,
		SeedSize:    c.SeedSize,
		Dir:         line.Dir,
		Fresh:       c.Fresh,
		PortOffset:  c.PortOffset,
		DatabaseURL: os.Getenv("DATABASE_URL"),
		Out:         to.err,
	})
	if err != nil && ctx.Err() != nil {
		fmt.Fprintln(to.err, "Stopped before everything ran.")
		return exitCode(130)
	}
	var down *up.StepError
	var open *up.OpenMoveError
	if errors.As(err, &down) || errors.As(err, &open) {
		fmt.Fprintln(to.err, "lab:", err)
		return exitCode(2)
	}
	if err != nil {
		return err
	}
	debug.FreeOSMemory() // the data set, if there was one to seed: from here on the lab only waits
	state := lab.State()
	if line.JSON {
		err = json.NewEncoder(to.out).Encode(state.WithoutSecrets())
	} else {
		err = printWelcome(to.out, &state)
	}
	if err == nil {
		err = lab.Wait(ctx)
	}
	if err != nil {
		fmt.Fprintln(to.err, "lab:", err)
	}

	fmt.Fprintln(to.err, "Stopping …")
	stopping, stopped := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer stopped()
	if err := lab.Stop(stopping); err != nil {
		return err
	}
	fmt.Fprintln(to.err, "Stopped. The data stay; lab up goes on from here.")
	if err != nil {
		return exitCode(1)
	}
	return nil
}

// withGoRun returns a context that also ends when the lab was started by "go run" and that is gone: it does
// not pass a SIGTERM on, and nobody would know of a lab left behind.
func withGoRun(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	program, err := os.Executable()
	if err != nil || !strings.Contains(filepath.ToSlash(program), "/go-build") {
		return ctx, cancel
	}
	parent := os.Getppid()
	go func() {
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if os.Getppid() != parent {
					cancel()
					return
				}
			}
		}
	}()
	return ctx, cancel
}

func printWelcome(out io.Writer, state *up.State) error {
	var text strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&text, format+"\n", args...) }
	say("")
	say("The shop is open.")
	say("")
	if state.MonolithURL != "" {
		say("  monolith   %s   (API: %[1]s/docs)", state.MonolithURL)
	}
	if state.GatewayURL != "" {
		say("  step %d     %s   (API: %[2]s/docs)", state.Step, state.GatewayURL)
	}
	say("  mail       %s/mail", state.OutsideURL)
	say("  logs       %s", filepath.Join(state.Dir, "logs"))
	say("")
	say("Sign in as %s with %s, or as staff: %s with %s.",
		up.Customer.Email, up.Customer.Password, up.Staff.Email, up.Staff.Password)
	say("")
	say("In another terminal:")
	say("  go run ./scripts/lab buy             buy a book, and see every request")
	say("  go run ./scripts/lab verify          hold both sides against each other, and to the contract")
	if next := nextArea(state); next != "" {
		say("  go run ./scripts/lab extract %-7s take it out of the monolith while customers buy (docs/extraction.md)", next)
	}
	say("  go run ./scripts/lab race            let many customers buy the last copies at once")
	say("  go run ./scripts/lab bench --quick   measure both sides with the same load")
	say("")
	say("Ctrl-C stops everything; the data stay.")
	_, err := io.WriteString(out, text.String())
	return err
}

// nextArea is the area that leaves next where a gateway stands in front of a trunk; empty if there is none.
func nextArea(state *up.State) string {
	if state.GatewayURL == "" || state.Step < 1 || state.Step == up.LastStep {
		return ""
	}
	return up.Ladder[state.Step+1].Area
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"banyan/scripts/lab/up"
	"banyan/scripts/lab/verify"
)

type verifyCommand struct {
	Only  string   `help:"Judge one side only: monolith or services."`
	Flags []string `arg:"" optional:"" help:"After --: flags for go test, as in lab verify -- -run TestCheckout -v; after another --, flags for the suite."`
}

func (c *verifyCommand) Run(ctx context.Context, line *commands, to streams) error {
	state, err := up.Running(line.Dir)
	if err != nil {
		return err
	}
	sides, err := sidesOf(state, c.Only)
	if err != nil {
		return err
	}
	root, err := up.Root()
	if err != nil {
		return err
	}
	var targets []verify.Target
	for _, side := range sides {
		targets = append(targets, verify.Target{Name: side, URL: state.SideURL(side)})
	}
	output := to.out
	if line.JSON {
		output = to.err
	}
	verdicts, err := verify.Run(ctx, root, targets, c.Flags, output)
	if err != nil {
		return err
	}
	if line.JSON {
		if err := json.NewEncoder(to.out).Encode(verdicts); err != nil {
			return err
		}
	}
	for _, verdict := range verdicts {
		if !verdict.Passed {
			err = errors.Join(err, fmt.Errorf("the contract is broken at %s (%s): the lines with FAIL above say where", verdict.Target, verdict.URL))
		}
	}
	return err
}

// sidesOf are the running sides to work on.
func sidesOf(state *up.State, only string) ([]string, error) {
	if only == "" {
		return state.Sides(), nil
	}
	if only != up.Monolith && only != up.Services {
		return nil, fmt.Errorf("there is no side %q: it is %s or %s", only, up.Monolith, up.Services)
	}
	if state.SideURL(only) == "" {
		return nil, fmt.Errorf("the running lab does not have the %s: it was started with --only %s", only, state.Sides()[0])
	}
	return []string{only}, nil
}

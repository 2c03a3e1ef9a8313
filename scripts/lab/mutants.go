package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"

	"banyan/scripts/lab/mutants"
	"banyan/scripts/lab/up"
)

type mutantsCommand struct {
	Only      string `help:"One mistake only, by the name of its patch in scripts/lab/mutants." placeholder:"NAME"`
	Checkouts int    `help:"How many checkouts to make for each mistake." default:"160"`
	Seed      uint64 `help:"Repeats the customers and the troubles of another run. Default: new ones, and the seed is printed."`
}

func (c *mutantsCommand) Help() string {
	return "Each mistake is a patch; the services are built with it, have their trouble, and are judged, and beside them the " +
		"services as they are. On labs of its own; a running lab is left alone."
}

func (c *mutantsCommand) Run(ctx context.Context, line *commands, to streams) error {
	chosen, err := c.chosen()
	if err != nil {
		return err
	}
	if c.Checkouts < 50 || c.Checkouts > 2000 {
		return errors.New("a run needs 50 to 2000 checkouts")
	}
	if c.Seed == 0 {
		c.Seed = rand.Uint64N(1_000_000) + 1
	}
	ctx, cancel := withGoRun(ctx)
	defer cancel()
	fmt.Fprintf(to.err, "seed %d\n", c.Seed)
	return up.Folder(ctx, to.err, func(dir string) error {
		report, err := mutants.Run(ctx, mutants.Options{
			Mutants: chosen, Checkouts: c.Checkouts, Seed: c.Seed, Dir: dir, Out: to.err,
		})
		if err != nil {
			return err
		}
		if line.JSON {
			err = json.NewEncoder(to.out).Encode(report)
		} else {
			err = report.Print(to.out)
		}
		return errors.Join(err, verdictOf(report))
	})
}

func (c *mutantsCommand) chosen() ([]mutants.Mutant, error) {
	if c.Only == "" {
		return mutants.All, nil
	}
	var names []string
	for _, m := range mutants.All {
		if names = append(names, m.Name); m.Name == c.Only {
			return []mutants.Mutant{m}, nil
		}
	}
	return nil, fmt.Errorf("there is no mistake %q: choose among %s", c.Only, strings.Join(names, ", "))
}

// verdictOf is nil if every mistake was seen that the shop does not bear, and nothing where there was none.
func verdictOf(r *mutants.Report) error {
	var err error
	if names := r.Unexpected(); len(names) > 0 {
		err = fmt.Errorf("the judge says something else than it should of %s", strings.Join(names, ", "))
	}
	if !r.Clean() {
		err = errors.Join(err, errors.New("the shop as it is did not come through its troubles"))
	}
	return err
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"

	"banyan/scripts/lab/mutants"
	"banyan/scripts/lab/up"
)

type mutantsCommand struct {
	Of        string `help:"One kind only: services, or ladder (what moves areas out of the monolith)." enum:",services,ladder" default:""`
	Only      string `help:"One mistake only, by the name of its patch in scripts/lab/mutants." placeholder:"NAME"`
	Checkouts int    `help:"How many checkouts to make for each mistake of the services." default:"160"`
	Seed      uint64 `help:"Repeats the customers and the troubles of another run. Default: new ones, and the seed is printed."`
}

func (c *mutantsCommand) Help() string {
	return "Each mistake is a patch. The services are built with it, have their trouble, and are judged, and beside them the " +
		"services as they are. A mistake of the ladder is built into the tests of what moves the areas: one of them, which forces " +
		"the moment, has to pass without the mistake, and to fail with it. On labs of its own; a running lab is left alone."
}

// mutantsReport is what came of both kinds. A kind that was not to run is nil.
type mutantsReport struct {
	Services *mutants.Report       `json:"services,omitempty"`
	Ladder   *mutants.LadderReport `json:"ladder,omitempty"`
}

func (c *mutantsCommand) Run(ctx context.Context, line *commands, to streams) error {
	services, ladder, err := c.chosen()
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
	return up.Folder(ctx, to.err, func(dir string) (err error) {
		var r mutantsReport
		if len(ladder) > 0 { // first, since it takes a minute
			r.Ladder, err = mutants.RunLadder(ctx, mutants.LadderOptions{Mutants: ladder, Dir: filepath.Join(dir, "ladder"), Out: to.err})
			if err != nil {
				return err
			}
		}
		if len(services) > 0 {
			fmt.Fprintf(to.err, "seed %d\n", c.Seed)
			r.Services, err = mutants.Run(ctx, mutants.Options{
				Mutants: services, Checkouts: c.Checkouts, Seed: c.Seed, Dir: dir, Out: to.err,
			})
			if err != nil {
				return err
			}
		}
		if line.JSON {
			err = json.NewEncoder(to.out).Encode(r)
		} else {
			err = r.print(to)
		}
		return errors.Join(err, r.verdict())
	})
}

// chosen are the mutants of each kind that are to run.
func (c *mutantsCommand) chosen() (services []mutants.Mutant, ladder []mutants.LadderMutant, err error) {
	var names []string
	for _, m := range mutants.All {
		if c.Of == "ladder" {
			break
		}
		if names = append(names, m.Name); c.Only == "" || c.Only == m.Name {
			services = append(services, m)
		}
	}
	for _, m := range mutants.Ladder {
		if c.Of == "services" {
			break
		}
		if names = append(names, m.Name); c.Only == "" || c.Only == m.Name {
			ladder = append(ladder, m)
		}
	}
	if len(services)+len(ladder) == 0 {
		return nil, nil, fmt.Errorf("there is no mistake %q: choose among %s", c.Only, strings.Join(names, ", "))
	}
	return services, ladder, nil
}

func (r mutantsReport) print(to streams) (err error) {
	if r.Services != nil {
		err = r.Services.Print(to.out)
	}
	if r.Ladder != nil {
		err = errors.Join(err, r.Ladder.Print(to.out))
	}
	return err
}

// verdict is nil if every mistake was seen that is not borne, and nothing where there was none.
func (r mutantsReport) verdict() (err error) {
	if r.Services != nil {
		if names := r.Services.Unexpected(); len(names) > 0 {
			err = fmt.Errorf("the judge says something else than it should of %s", strings.Join(names, ", "))
		}
		if !r.Services.Clean() {
			err = errors.Join(err, errors.New("the shop as it is did not come through its troubles"))
		}
	}
	if r.Ladder != nil {
		if names := r.Ladder.Missed(); len(names) > 0 {
			err = errors.Join(err, fmt.Errorf("no test catches %s for the reason that is expected", strings.Join(names, ", ")))
		}
	}
	return err
}

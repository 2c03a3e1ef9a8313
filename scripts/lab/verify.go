package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"banyan/internal/postgres"
	"banyan/scripts/lab/invariants"
	"banyan/scripts/lab/seed"
	"banyan/scripts/lab/up"
	"banyan/scripts/lab/verify"
	"banyan/scripts/lab/verify/differ"
)

type verifyCommand struct {
	Only         string   `help:"Judge one side only: monolith or services. Nothing is compared then."`
	Seeds        int      `help:"How many seeds the sequences are made from; 0 compares nothing." default:"20"`
	Requests     int      `help:"Requests per seed, to each side." default:"500"`
	Seed         uint64   `help:"The first seed, to repeat a run. Default: a new one, which is printed."`
	SkipContract bool     `help:"Leave out the contract suite."`
	AllSteps     bool     `help:"Every step of the ladder against the monolith, on labs of its own, and with kills."`
	Steps        []int    `help:"As --all-steps, but only these, as in 2,5."`
	Checkouts    int      `help:"How many checkouts are made at each of these steps while processes are killed." default:"2000"`
	Flags        []string `arg:"" optional:"" help:"After --: flags for go test, as in lab verify -- -run TestCheckout -v; after another --, flags for the suite."`
}

func (c *verifyCommand) Help() string {
	return "Plays the same random requests to both sides and compares every answer; runs the contract suite against each; then holds " +
		"orders, money, stock, mail and copies against each other in the databases. The comparison comes first, while the sides still " +
		"hold equal data; on data that are not equal, it leaves out what everybody sees."
}

const (
	// mostRequests of one seed: there are so many customers.
	mostRequests = 1250
	// restWithin is how long a shop may take to come to rest, the sweeper's orders included.
	restWithin = 30 * time.Second
	// listsFor is how old a list of books may be, as the contract has it.
	listsFor = time.Second
	// staleFor is longer than any list is remembered.
	staleFor = 26 * time.Second
	// window is how many orders the bestsellers are made of. Two sides that have taken more than that since the seed
	// have taken them in another order.
	window = 3333
)

// judgement is all that verify finds.
type judgement struct {
	Contract     []verify.Verdict                `json:"contract,omitempty"`
	Differential *differ.Result                  `json:"differential,omitempty"`
	Invariants   map[string][]invariants.Verdict `json:"invariants"`
}

func (c *verifyCommand) Run(ctx context.Context, line *commands, to streams) error {
	if c.Seeds < 0 || c.Requests < 1 || c.Requests > mostRequests {
		return fmt.Errorf("a seed makes 1 to %d requests", mostRequests)
	}
	output := to.out
	if line.JSON {
		output = to.err
	}
	if c.AllSteps || len(c.Steps) > 0 {
		return c.climb(ctx, line, to, output)
	}
	state, err := up.Running(line.Dir)
	if err != nil {
		return err
	}
	found, err := c.judge(ctx, state, nil, output, to.err)
	if err != nil {
		return err
	}
	if line.JSON {
		if err := json.NewEncoder(to.out).Encode(found); err != nil {
			return err
		}
	}
	return found.err()
}

// judge holds the sides of a running lab against each other, and each, or those that are named, to the contract and to
// the invariants.
func (c *verifyCommand) judge(ctx context.Context, state *up.State, named []string, output, progress io.Writer) (*judgement, error) {
	sides, err := sidesOf(state, c.Only)
	if err != nil {
		return nil, err
	}
	if named == nil {
		named = sides
	}
	shops := map[string]*invariants.Shop{}
	for _, side := range sides {
		shop, err := invariants.Open(ctx, invariants.Where{
			Side: side, Step: state.Step, Database: state.Databases[side], Broker: state.NATSURL, OutsideURL: state.OutsideURL, Since: state.StartedAt,
		})
		if err != nil {
			return nil, err
		}
		defer shop.Close()
		shops[side] = shop
	}

	found := &judgement{}
	if len(sides) == 2 && c.Seeds > 0 {
		if found.Differential, err = c.differ(ctx, state, shops, output, progress); err != nil {
			return nil, err
		}
	}
	if !c.SkipContract {
		if found.Contract, err = c.contract(ctx, state, named, output); err != nil {
			return nil, err
		}
	}
	found.Invariants, err = judgeInvariants(ctx, named, state.Step, shops, output)
	return found, err
}

// differ plays the same requests to both sides.
func (c *verifyCommand) differ(ctx context.Context, state *up.State, shops map[string]*invariants.Shop, out, progress io.Writer) (*differ.Result, error) {
	if c.Seed == 0 {
		c.Seed = rand.Uint64N(1_000_000) + 1
	}
	o := differ.Options{
		Seed: c.Seed, Seeds: c.Seeds, Requests: c.Requests, Out: progress,
		Books:    differ.CatalogueOf(seed.Generate(seed.Size(state.SeedSize))),
		Settle:   func(ctx context.Context) error { return settleAll(ctx, shops) },
		ListsFor: listsFor,
		StaleFor: staleFor,
	}
	databases := map[string]*pgxpool.Pool{}
	for side, url := range state.Databases {
		pool, err := postgres.Open(ctx, url, postgres.Options{})
		if err != nil {
			return nil, fmt.Errorf("open the database of the %s: %w", side, err)
		}
		defer pool.Close()
		databases[side] = pool
	}
	o.Fill = func(ctx context.Context, side differ.Side, bookID string) error {
		return verify.FillShelf(ctx, databases[side.Name], side.Name, state.Step, bookID)
	}
	if err := o.Settle(ctx); err != nil {
		return nil, err
	}
	var holds [2]invariants.Contents
	for i, side := range []string{up.Monolith, up.Services} {
		o.Sides[i] = differ.Side{Name: side, URL: state.SideURL(side)}
		var err error
		if holds[i], err = shops[side].Contents(ctx, seed.Until); err != nil {
			return nil, err
		}
	}
	o.Equal = holds[0] == holds[1]
	if holds[0].Orders+c.Seeds*c.Requests/10 > window {
		o.StaleFor = 0
	}
	fmt.Fprintf(out, "--- the same requests to both sides, seeds %d to %d\n", c.Seed, c.Seed+uint64(c.Seeds)-1)
	result, err := differ.Run(ctx, o)
	if err != nil {
		return nil, err
	}
	return result, result.Print(out, o.Sides)
}

// settleAll waits until all shops have come to rest.
func settleAll(ctx context.Context, shops map[string]*invariants.Shop) error {
	for side, shop := range shops {
		left, _, err := shop.Settle(ctx, restWithin)
		if err != nil {
			return err
		}
		if len(left) > 0 {
			return fmt.Errorf("the %s did not come to rest within %s: %s", side, restWithin, strings.Join(left, ", "))
		}
	}
	return nil
}

func (c *verifyCommand) contract(ctx context.Context, state *up.State, sides []string, out io.Writer) ([]verify.Verdict, error) {
	root, err := up.Root()
	if err != nil {
		return nil, err
	}
	var targets []verify.Target
	for _, side := range sides {
		targets = append(targets, verify.Target{Name: up.SideName(side, state.Step), URL: state.SideURL(side)})
	}
	return verify.Run(ctx, root, targets, c.Flags, out)
}

// judgeInvariants gives each shop its time to come to rest, and judges it as it is then.
func judgeInvariants(ctx context.Context, sides []string, step int, shops map[string]*invariants.Shop, out io.Writer) (map[string][]invariants.Verdict, error) {
	verdicts := map[string][]invariants.Verdict{}
	for _, side := range sides {
		if _, _, err := shops[side].Settle(ctx, restWithin); err != nil {
			return nil, err
		}
		found, err := shops[side].Check(ctx)
		if err != nil {
			return nil, err
		}
		verdicts[side] = found
		fmt.Fprintf(out, "--- invariants: %s\n", up.SideName(side, step))
		if err := invariants.Print(out, found); err != nil {
			return nil, err
		}
	}
	return verdicts, nil
}

// err says what was found in one error; nil if nothing was.
func (j *judgement) err() (err error) {
	if j.Differential != nil && len(j.Differential.Differences) > 0 {
		err = fmt.Errorf("the sides are not the same shop: %d differences, shown above", len(j.Differential.Differences))
	}
	if d := j.Differential; d != nil && d.Unsettled*10 > d.Sequences {
		err = errors.Join(err, fmt.Errorf("too little was compared: %d of %d sequences ended early, for one side was too slow", d.Unsettled, d.Sequences))
	}
	for _, verdict := range j.Contract {
		if !verdict.Passed {
			err = errors.Join(err, fmt.Errorf("the contract is broken at %s (%s): the lines with FAIL above say where", verdict.Target, verdict.URL))
		}
	}
	for side, verdicts := range j.Invariants {
		for _, verdict := range verdicts {
			if verdict.Broken > 0 {
				err = errors.Join(err, fmt.Errorf("not so at the %s: %s", side, verdict.Rule))
			}
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

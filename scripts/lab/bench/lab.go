package bench

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"banyan/scripts/lab/up"
)

// lab is where sides run, with what can be read there. Any of the instruments may be missing: then its figures are as well.
type lab struct {
	state      *up.State
	flow       *flow
	accounts   *accountant
	meters     *meters
	scales     *scales
	inspectors inspectors
}

// open connects to all that can be read beside the shop. What cannot be read is named in missing.
func (l *lab) open(ctx context.Context, homes []string) (missing []string, err error) {
	if l.accounts, err = openAccounts(ctx, l.state); err != nil {
		return nil, err
	}
	if l.scales, err = newScales(ctx, l.accounts); err != nil { // before anything else: at idle
		return nil, err
	}
	if l.flow, err = openFlow(ctx, l.state); err != nil {
		return nil, err
	}
	if l.meters, missing, err = openMeters(ctx, l.state, l.flow); err != nil {
		return nil, err
	}
	l.inspectors, err = openInspectors(ctx, l.state, homes)
	return missing, err
}

func (l *lab) close(ctx context.Context) {
	l.inspectors.close()
	l.meters.close(ctx)
	l.flow.close()
	l.accounts.close(ctx)
}

// labs are those that the sides run in, each once.
func (r *runner) labs() []*lab {
	var labs []*lab
	for _, s := range r.sides {
		if s.lab != nil && !slices.Contains(labs, s.lab) {
			labs = append(labs, s.lab)
		}
	}
	return labs
}

// sidesIn are those that run in a lab.
func (r *runner) sidesIn(l *lab) []*side {
	return slices.DeleteFunc(slices.Clone(r.sides), func(s *side) bool { return s.lab != l })
}

// transactions is how many each home has committed.
func (r *runner) transactions(ctx context.Context) (map[string]int64, error) {
	counts := map[string]int64{}
	for _, l := range r.labs() {
		read, err := readTransactions(ctx, l.meters.statements())
		if err != nil {
			return nil, err
		}
		for _, home := range homes(r.sidesIn(l)) {
			counts[home] = read[databaseOf(home)]
		}
	}
	return counts, nil
}

// A step that runs in a lab of its own is called by its number.
const alonePrefix = "step "

func aloneName(step int) string { return fmt.Sprintf(alonePrefix+"%d", step) }

// alone says whether a side has a lab of its own.
func alone(side string) bool { return strings.HasPrefix(side, alonePrefix) }

// databaseOf is the database that a home is, in its lab.
func databaseOf(home string) string {
	if home == up.Monolith {
		return up.Monolith
	}
	return up.Services
}

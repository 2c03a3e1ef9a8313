package bench

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"banyan/scripts/lab/invariants"
	"banyan/scripts/lab/up"
)

// inspectors hold what the sides have left behind to what must be true of every shop at rest.
type inspectors map[string]*invariants.Shop // by home

// restWithin is how long a shop may take until it can be judged.
const restWithin = 30 * time.Second

func openInspectors(ctx context.Context, state *up.State, homes []string) (inspectors, error) {
	all := inspectors{}
	for _, home := range homes {
		shop, err := invariants.Open(ctx, invariants.Where{
			Side: databaseOf(home), Step: state.Step, Database: state.Databases[databaseOf(home)], Broker: state.NATSURL, OutsideURL: state.OutsideURL, Since: state.StartedAt,
		})
		if err != nil {
			all.close()
			return nil, err
		}
		all[home] = shop
	}
	return all, nil
}

func (all inspectors) close() {
	for _, shop := range all {
		shop.Close()
	}
}

// Broken is what an inspection has found.
type Broken struct {
	Side  string `json:"side"`
	After string `json:"after"` // which mix and round
	Rule  string `json:"rule"`
	Count int64  `json:"count"`
	// Offenders names the first.
	Offenders []string `json:"offenders,omitempty"`
}

// inspect judges every shop, outside of the clock.
func (all inspectors) inspect(ctx context.Context, after string) (rules int, broken []Broken, err error) {
	for _, home := range slices.Sorted(maps.Keys(all)) {
		shop := all[home]
		if _, _, err := shop.Settle(ctx, restWithin); err != nil {
			return 0, nil, err
		}
		verdicts, err := shop.Check(ctx)
		if err != nil {
			return 0, nil, fmt.Errorf("inspect the %s after %s: %w", home, after, err)
		}
		rules += len(verdicts)
		for _, v := range verdicts {
			if v.Broken > 0 {
				broken = append(broken, Broken{home, after, v.Rule, v.Broken, v.Offenders})
			}
		}
	}
	return rules, broken, nil
}

// The rules of package invariants that speak of what must not happen at any speed. Their names are checked by a test.
var (
	oversold = []string{"what came in is in stock or sold", "stock is never negative"}
	charges  = []string{
		"a paid or shipped order has one charge of its amount, and only such a charge is kept",
		"nothing is charged without an order", "the card processor decides once per order", "a payment says what the ledger says",
	}
	// An event that is lost leaves something undone.
	lost = []string{
		"a paid order has one shipment, in its state, and an unpaid one none",
		"a paid order has one receipt, and an unpaid one none",
		"a cancellation and a dispatch are told once, and truly",
		"no reservation is orphaned", "every event is published", "no event is rejected, but those that were planted",
		"orders' copies of the books equal catalog's", "catalog's availability equals inventory's stock",
		"inventory knows every book", "catalog's recent sales equal the orders",
		"notifications' contacts equal the accounts", "every event is handled",
	}
)

// count is how often any of the rules was broken. Rounds come one after another, and what one has broken stays broken:
// the worst inspection counts.
func count(broken []Broken, rules []string) int64 {
	byInspection := map[string]int64{}
	var most int64
	for _, b := range broken {
		if slices.Contains(rules, b.Rule) {
			byInspection[b.After] += b.Count
			most = max(most, byInspection[b.After])
		}
	}
	return most
}

func (b Broken) String() string {
	text := fmt.Sprintf("after %s a rule of lab verify does not hold for the %s (%s), %d times", b.After, b.Side, b.Rule, b.Count)
	if len(b.Offenders) > 0 {
		text += ": " + strings.Join(b.Offenders[:min(2, len(b.Offenders))], "; ")
	}
	return text
}

package crash

import (
	"net/http"
	"slices"

	"banyan/scripts/lab/invariants"
)

// bySweeper counts the orders that no request can have settled: nobody got to store an answer to them, or
// the process that worked on them was killed before they were settled.
func bySweeper(facts *invariants.Facts, deaths []death, worker string) int {
	stored := map[string]int{} // order → status of the stored answer
	for _, k := range facts.Keys {
		stored[k.About] = k.Status
	}
	n := 0
	for _, o := range facts.Orders {
		if o.Status == "pending" {
			continue
		}
		orphaned := slices.ContainsFunc(deaths, func(d death) bool {
			return d.Process == worker && o.SettledAt != nil && o.PlacedAt.Before(d.At) && d.At.Before(*o.SettledAt)
		})
		if orphaned || stored[o.ID] == 0 || stored[o.ID] == http.StatusAccepted {
			n++
		}
	}
	return n
}

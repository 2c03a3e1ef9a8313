package history

import (
	"maps"
	"net/http"
	"slices"
	"time"

	"banyan/scripts/lab/invariants"
)

// sighting is what somebody was told of an order, at some time between two moments.
type sighting struct {
	began, ended time.Time
	state        string
	total        int64 // 0: not told
	how          string
}

// follows says whether an order may have been in one state, and in another later.
func follows(before, after string) bool {
	switch before {
	case "pending":
		return true
	case "paid":
		return after != "pending"
	}
	return after == before // shipped and cancelled are for ever
}

// judgeDeeds looks whether any answer was contradicted by a later one, or by what is in the end.
func (f *Findings) judgeDeeds(facts *invariants.Facts, attempts []*Attempt, deeds []*Deed) {
	seen := map[string][]sighting{}
	for _, a := range attempts {
		if state := stateOf[a.Outcome]; state != "" && a.Order != "" {
			seen[a.Order] = append(seen[a.Order], sighting{a.Began, a.Ended, state, 0, "the checkout"})
		}
	}
	orders := map[string]invariants.Order{}
	for _, o := range facts.Orders {
		orders[o.ID] = o
	}
	for _, d := range deeds {
		if d.Ended.IsZero() {
			continue
		}
		f.judgeDeed(d, orders[d.Order])
		if d.State != "" && d.What != Dispatch {
			seen[d.Order] = append(seen[d.Order], sighting{d.Began, d.Ended, d.State, d.Total, "a " + d.What})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(seen)) {
		if o, there := orders[id]; there {
			f.judgeSightings(o, seen[id])
		}
	}
}

// stateOf is what an order is after a checkout with this outcome.
var stateOf = map[string]string{Paid: "paid", Accepted: "pending", Declined: "cancelled"}

// judgeSightings compares what was told one after the other. What overlaps in time may be told in any order.
func (f *Findings) judgeSightings(o invariants.Order, seen []sighting) {
	end := time.Now().Add(time.Hour)
	seen = append(slices.Clone(seen), sighting{end, end, o.Status, o.Total, "the database in the end"})
	slices.SortFunc(seen, func(a, b sighting) int { return a.began.Compare(b.began) })
	for i, later := range seen {
		for _, earlier := range seen[:i] {
			if !earlier.ended.Before(later.began) {
				continue
			}
			if !follows(earlier.state, later.state) {
				f.Add("no answer is contradicted later", "order %s of %s: %s said that it is %s, and %s later that it is %s",
					o.ID, o.Customer, earlier.how, earlier.state, later.how, later.state)
			}
			if earlier.total != 0 && later.total != 0 && earlier.total != later.total {
				f.Add("no answer is contradicted later", "order %s of %s: %s said that it is of %d, and %s later of %d",
					o.ID, o.Customer, earlier.how, earlier.total, later.how, later.total)
			}
		}
	}
}

// judgeDeed holds one answer against what is in the end. The order has no id if it is not there.
func (f *Findings) judgeDeed(d *Deed, o invariants.Order) {
	switch {
	case o.ID == "" || o.Customer != d.Customer:
		f.Add("an order that was acknowledged is there", "order %s of %s, which a %s was about, is not", d.Order, d.Customer, d.What)
	case d.Status == http.StatusOK && d.State == "":
		f.Add("an order that was acknowledged is listed", "order %s of %s is not, %s after", d.Order, d.Customer, d.Ended.Sub(d.Began))
	case d.What == Cancel && d.Status == http.StatusOK:
		if o.Status != "cancelled" {
			f.Add("a cancellation that was acknowledged is kept", "order %s of %s is %s", o.ID, o.Customer, o.Status)
		}
	case d.What == Dispatch && d.Status == http.StatusOK, d.What == Cancel && d.Code == "order-shipped":
		if o.Status != "shipped" {
			f.Add("a parcel that has left stays away", "order %s of %s is %s", o.ID, o.Customer, o.Status)
		}
	case d.What == Dispatch && d.Code == "shipment-cancelled":
		if o.Status != "cancelled" {
			f.Add("a parcel that must not leave is of a cancelled order", "order %s of %s is %s", o.ID, o.Customer, o.Status)
		}
	case d.Status != http.StatusOK && !(d.What == Cancel && d.Code == "order-pending"):
		f.Add("customers get only answers that the contract knows", "a %s of order %s was answered %d %s", d.What, d.Order, d.Status, d.Code)
	}
}

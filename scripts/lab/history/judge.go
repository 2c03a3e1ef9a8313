package history

import "banyan/scripts/lab/invariants"

// judge holds what the customers have written down, their checkouts and what else was done with their orders, against
// what is in the end.
func (h *History) judge(f *invariants.Facts) Findings {
	found := NewFindings()
	found.judgeOrders(f, wishesOf(h.Deeds))
	found.judgeKeys(f, h.Attempts)
	found.judgeAnswers(f, h.Attempts)
	found.judgeDeeds(f, h.Attempts, h.Deeds)
	return found
}

// wish is what was asked about an order, whatever became of it.
type wish struct{ cancel, dispatch bool }

func wishesOf(deeds []*Deed) map[string]wish {
	wishes := map[string]wish{}
	for _, d := range deeds {
		w := wishes[d.Order]
		w.cancel = w.cancel || d.What == Cancel
		w.dispatch = w.dispatch || d.What == Dispatch
		wishes[d.Order] = w
	}
	return wishes
}

func (f *Findings) judgeOrders(facts *invariants.Facts, wishes map[string]wish) {
	for _, o := range facts.Orders {
		if o.Status == "shipped" && !wishes[o.ID].dispatch || o.Reason == "customer" && !wishes[o.ID].cancel {
			f.Add("nothing happens to an order that nobody asked for", "order %s of %s is %s %s", o.ID, o.Customer, o.Status, o.Reason)
		}
	}
}

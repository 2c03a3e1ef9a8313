package chaos

import (
	"maps"
	"net/http"
	"slices"

	"banyan/scripts/lab/shop"
)

// judgeKeys looks whether each order belongs to one key that a customer has used, and each key to one order at most.
func (f *findings) judgeKeys(facts *facts, attempts []*attempt) {
	used := map[string]string{} // key → customer
	for _, a := range attempts {
		used[a.Key] = a.Customer
	}
	keysOf := map[string]int{} // order → keys
	for _, k := range facts.keys {
		if used[k.Key] != k.Customer {
			f.add("a key is its customer's", "key %s of %s was never sent", k.Key, k.Customer)
		}
		keysOf[k.About]++
	}
	for _, o := range facts.orders {
		if keysOf[o.ID] != 1 {
			f.add("an order belongs to one key", "order %s of %s belongs to %d", o.ID, o.Customer, keysOf[o.ID])
		}
	}
}

// judgeAnswers looks whether what customers were told is what is.
func (f *findings) judgeAnswers(facts *facts, attempts []*attempt) {
	orders, about, told := map[string]orderRow{}, map[string]string{}, map[string]int{}
	for _, o := range facts.orders {
		orders[o.ID] = o
	}
	for _, k := range facts.keys {
		about[k.Key] = k.About
	}
	for _, m := range facts.mails {
		if m.Subject == subjectCancelled {
			told[m.order()]++
		}
	}
	for _, a := range attempts {
		if a.Odd != "" {
			f.add("customers get only answers that the contract knows", "%s, key %s: %s", a.Customer, a.Key, a.Odd)
		}
		if o, made := orders[about[a.Key]]; made && a.Sure && !maps.Equal(o.Copies, copies(a.Cart)) {
			f.add("an order is what was in the cart", "order %s of %s: %v, and in the cart %v", o.ID, a.Customer, o.Copies, copies(a.Cart))
		}
		if a.Order == "" {
			if slices.Contains([]string{outcomePaid, outcomeAccepted, outcomeDeclined}, a.Outcome) {
				f.add("an answer names its order", "%s, key %s, %s", a.Customer, a.Key, a.Outcome)
			}
			continue
		}
		o, there := orders[a.Order]
		if !there || o.Customer != a.Customer || about[a.Key] != a.Order {
			f.add("an order that was acknowledged is there", "order %s of %s, key %s, is not", a.Order, a.Customer, a.Key)
			continue
		}
		f.judgeAnswer(a, o, told[o.ID])
	}
}

func (f *findings) judgeAnswer(a *attempt, o orderRow, regrets int) {
	switch a.Outcome {
	case outcomePaid:
		// What was asked for since is another rule's.
		if !o.sold() && o.Reason != "customer" {
			f.add("an order acknowledged as paid is paid", "order %s of %s is %s", o.ID, o.Customer, o.Status)
		}
	case outcomeDeclined:
		if o.Status != "cancelled" || o.Reason != "declined" {
			f.add("an order acknowledged as declined is cancelled", "order %s of %s is %s", o.ID, o.Customer, o.Status)
		}
	case outcomeAccepted:
		if o.Status == "cancelled" && regrets == 0 {
			f.add("who got 202 is told of a cancellation by mail", "order %s of %s: no mail", o.ID, o.Customer)
		}
	}
}

// bySweeper counts the orders that no request can have settled: nobody got to store an answer to them, or
// the process that worked on them was killed before they were settled.
func bySweeper(facts *facts, deaths []death, worker string) int {
	stored := map[string]int{} // order → status of the stored answer
	for _, k := range facts.keys {
		stored[k.About] = k.Status
	}
	n := 0
	for _, o := range facts.orders {
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

func copies(lines []shop.Line) map[string]int {
	n := map[string]int{}
	for _, l := range lines {
		n[l.BookID] = l.Quantity
	}
	return n
}

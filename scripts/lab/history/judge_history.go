package history

import (
	"maps"
	"slices"

	"banyan/scripts/lab/invariants"
	"banyan/scripts/lab/shop"
)

// judgeKeys looks whether each order belongs to one key that a customer has used, and each key to one order at most.
func (f *Findings) judgeKeys(facts *invariants.Facts, attempts []*Attempt) {
	used := map[string]string{} // key → customer
	for _, a := range attempts {
		used[a.Key] = a.Customer
	}
	keysOf := map[string]int{} // order → keys
	for _, k := range facts.Keys {
		if used[k.Key] != k.Customer {
			f.Add("a key is its customer's", "key %s of %s was never sent", k.Key, k.Customer)
		}
		keysOf[k.About]++
	}
	for _, o := range facts.Orders {
		if keysOf[o.ID] != 1 {
			f.Add("an order belongs to one key", "order %s of %s belongs to %d", o.ID, o.Customer, keysOf[o.ID])
		}
	}
}

// judgeAnswers looks whether what customers were told is what is.
func (f *Findings) judgeAnswers(facts *invariants.Facts, attempts []*Attempt) {
	orders, about, told := map[string]invariants.Order{}, map[string]string{}, map[string]int{}
	for _, o := range facts.Orders {
		orders[o.ID] = o
	}
	for _, k := range facts.Keys {
		about[k.Key] = k.About
	}
	for _, m := range facts.Mails {
		if m.Subject == invariants.SubjectCancelled {
			told[m.Order()]++
		}
	}
	for _, a := range attempts {
		if a.Odd != "" {
			f.Add("customers get only answers that the contract knows", "%s, key %s: %s", a.Customer, a.Key, a.Odd)
		}
		if o, made := orders[about[a.Key]]; made && a.Sure && !maps.Equal(o.Copies, copies(a.Cart)) {
			f.Add("an order is what was in the cart", "order %s of %s: %v, and in the cart %v", o.ID, a.Customer, o.Copies, copies(a.Cart))
		}
		if a.Order == "" {
			if slices.Contains([]string{Paid, Accepted, Declined}, a.Outcome) {
				f.Add("an answer names its order", "%s, key %s, %s", a.Customer, a.Key, a.Outcome)
			}
			continue
		}
		o, there := orders[a.Order]
		if !there || o.Customer != a.Customer || about[a.Key] != a.Order {
			f.Add("an order that was acknowledged is there", "order %s of %s, key %s, is not", a.Order, a.Customer, a.Key)
			continue
		}
		f.judgeAnswer(a, o, told[o.ID])
	}
}

func (f *Findings) judgeAnswer(a *Attempt, o invariants.Order, regrets int) {
	switch a.Outcome {
	case Paid:
		// What was asked for since is another rule's.
		if !o.Sold() && o.Reason != "customer" {
			f.Add("an order acknowledged as paid is paid", "order %s of %s is %s", o.ID, o.Customer, o.Status)
		}
	case Declined:
		if o.Status != "cancelled" || o.Reason != "declined" {
			f.Add("an order acknowledged as declined is cancelled", "order %s of %s is %s", o.ID, o.Customer, o.Status)
		}
	case Accepted:
		if o.Status == "cancelled" && regrets == 0 {
			f.Add("who got 202 is told of a cancellation by mail", "order %s of %s: no mail", o.ID, o.Customer)
		}
	}
}

func copies(lines []shop.Line) map[string]int {
	n := map[string]int{}
	for _, l := range lines {
		n[l.BookID] = l.Quantity
	}
	return n
}

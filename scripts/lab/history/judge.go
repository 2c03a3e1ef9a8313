package history

import (
	"maps"
	"slices"
)

// ledgerOf is what the card processor did for one order.
type ledgerOf struct {
	charges, declines, refunds int
	amount                     int64 // of the charge, US cents
}

// captured says that money was taken and kept.
func (l ledgerOf) captured() bool { return l.charges > 0 && l.refunds == 0 }

// Judge holds what a run has left behind against what the customers have written down: their checkouts, and what else
// was done with their orders.
func Judge(f *Facts, attempts []*Attempt, deeds ...*Deed) []Violation {
	found := NewFindings()
	for _, what := range f.Left {
		found.Add("the shop comes to rest by itself", "%s", what)
	}
	found.judgeOrders(f, wishesOf(deeds))
	found.judgeMoney(f)
	found.judgeStock(f)
	found.judgeKeys(f, attempts)
	found.judgeAnswers(f, attempts)
	found.judgeShipments(f)
	found.judgeMail(f)
	found.judgeDeeds(f, attempts, deeds)
	return found.All
}

// sold says that the order is paid for, and was not cancelled since.
func (o Order) sold() bool { return o.Status == "paid" || o.Status == "shipped" }

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

func (f *Findings) judgeOrders(facts *Facts, wishes map[string]wish) {
	for _, o := range facts.Orders {
		if !o.sold() && o.Status != "cancelled" {
			f.Add("every order is paid or cancelled", "order %s of %s is %s", o.ID, o.Customer, o.Status)
		}
		if o.Status == "shipped" && !wishes[o.ID].dispatch || o.Reason == "customer" && !wishes[o.ID].cancel {
			f.Add("nothing happens to an order that nobody asked for", "order %s of %s is %s %s", o.ID, o.Customer, o.Status, o.Reason)
		}
		if o.Total != o.Lines {
			f.Add("an order's total is what its lines come to", "order %s: %d, and %d", o.ID, o.Total, o.Lines)
		}
	}
}

// judgeMoney compares the orders, the payments and the card processor's ledger.
func (f *Findings) judgeMoney(facts *Facts) {
	ledger := map[string]ledgerOf{}
	for _, e := range facts.Ledger {
		l := ledger[e.Reference]
		switch e.Effect {
		case "charge":
			l.charges, l.amount = l.charges+1, e.Amount
		case "decline":
			l.declines++
		case "refund":
			l.refunds++
		}
		ledger[e.Reference] = l
	}
	payments := group(facts.Payments, func(p payment) string { return p.OrderID })
	orders := map[string]bool{}
	for _, o := range facts.Orders {
		orders[o.ID] = true
		f.judgeCharge(o, ledger[o.ID])
		f.judgePayment(o, payments[o.ID], ledger[o.ID])
	}
	for _, id := range slices.Sorted(maps.Keys(ledger)) {
		if !orders[id] {
			f.Add("nothing is charged without an order", "the ledger knows order %s, the shop does not", id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(payments)) {
		if !orders[id] {
			f.Add("no payment is without an order", "there is one for order %s", id)
		}
	}
}

func (f *Findings) judgeCharge(o Order, l ledgerOf) {
	if l.charges > 1 || l.refunds > 1 || l.declines > 1 || l.charges > 0 && l.declines > 0 {
		f.Add("the card processor decides once per order", "order %s: %d charges, %d declines, %d refunds",
			o.ID, l.charges, l.declines, l.refunds)
	}
	switch {
	case l.captured() != o.sold():
		f.Add("money is taken exactly for paid orders", "order %s is %s, and its ledger has %d charges and %d refunds",
			o.ID, o.Status, l.charges, l.refunds)
	case l.captured() && l.amount != o.Total:
		f.Add("what is taken is the order's total", "order %s: %d taken of %d", o.ID, l.amount, o.Total)
	}
}

func (f *Findings) judgePayment(o Order, payments []payment, l ledgerOf) {
	if len(payments) != 1 {
		// Services may cancel an order before anybody speaks of money.
		if len(payments) > 1 || o.sold() || l != (ledgerOf{}) {
			f.Add("an order has one payment", "order %s, %s, has %d", o.ID, o.Status, len(payments))
		}
		return
	}
	p := payments[0]
	agrees := map[string]bool{
		"captured": l.captured(),
		"refunded": l.charges > 0 && l.refunds > 0,
		"declined": l.declines > 0,
		"void":     l == ledgerOf{},
	}
	if !agrees[p.Status] {
		f.Add("payments agree with the ledger", "order %s: the payment is %s, the ledger has %d charges, %d declines, %d refunds",
			o.ID, p.Status, l.charges, l.declines, l.refunds)
	}
	if p.Amount != o.Total {
		f.Add("a payment is of the order's total", "order %s: %d of %d", o.ID, p.Amount, o.Total)
	}
}

func (f *Findings) judgeStock(facts *Facts) {
	for _, s := range facts.Shelves {
		if s.OnHand < 0 || s.Reserved < 0 {
			f.Add("stock is never negative", "book %s: %d on hand, %d reserved", s.Book, s.OnHand, s.Reserved)
		}
		if s.Reserved != 0 {
			f.Add("nothing is reserved for nobody", "book %s: %d copies", s.Book, s.Reserved)
		}
		if s.Delivered != s.OnHand+s.Sold {
			f.Add("what came in is in stock or sold", "book %s: %d came in, %d are in stock, %d are sold", s.Book, s.Delivered, s.OnHand, s.Sold)
		}
	}
}

func (f *Findings) judgeShipments(facts *Facts) {
	shipments := group(facts.Shipments, func(s shipment) string { return s.OrderID })
	for _, o := range facts.Orders {
		there := slices.DeleteFunc(slices.Clone(shipments[o.ID]), func(s shipment) bool { return s.Status == "cancelled" })
		delete(shipments, o.ID)
		if due := o.sold(); due && len(there) != 1 || !due && len(there) != 0 {
			f.Add("paid orders have one shipment, others none", "order %s, %s, has %d", o.ID, o.Status, len(there))
		} else if due && (there[0].Status == "dispatched") != (o.Status == "shipped") {
			f.Add("an order is shipped when its parcel has left", "order %s, %s: the parcel is %s", o.ID, o.Status, there[0].Status)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(shipments)) {
		f.Add("no shipment is without an order", "there is one for order %s", id)
	}
}

// judgeMail counts distinct Message-IDs: a mail whose sender was killed before it could note that it was sent
// comes twice, and a mail program shows it once.
func (f *Findings) judgeMail(facts *Facts) {
	type about struct{ order, subject string }
	distinct := map[about]map[string]bool{}
	for _, m := range facts.Mails {
		key := about{m.order(), m.Subject}
		if distinct[key] == nil {
			distinct[key] = map[string]bool{}
		}
		distinct[key][m.MessageID] = true
	}
	for _, o := range facts.Orders {
		receipts := len(distinct[about{o.ID, SubjectPaid}])
		if due := o.sold() || o.Reason == "customer"; due && receipts != 1 || !due && receipts != 0 {
			f.Add("paid orders have one receipt, others none", "order %s, %s, has %d", o.ID, o.Status, receipts)
		}
		regrets := len(distinct[about{o.ID, SubjectCancelled}])
		if regrets > 1 || regrets == 1 && o.Status != "cancelled" {
			f.Add("who is told of a cancellation is told once, and truly", "order %s, %s: %d mails", o.ID, o.Status, regrets)
		}
		if farewells := len(distinct[about{o.ID, SubjectShipped}]); farewells != 0 && o.Status != "shipped" || farewells != 1 && o.Status == "shipped" {
			f.Add("who is told of a parcel is told once, and truly", "order %s, %s: %d mails", o.ID, o.Status, farewells)
		}
	}
}

func group[T any](all []T, by func(T) string) map[string][]T {
	grouped := map[string][]T{}
	for _, one := range all {
		grouped[by(one)] = append(grouped[by(one)], one)
	}
	return grouped
}

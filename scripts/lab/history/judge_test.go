package history

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/shop"
)

const customerA = "a@banyan.example"

// wellKept is a shop with a paid and a cancelled order, and what their customers have written down.
func wellKept() (*Facts, []*Attempt) {
	f := &Facts{
		Orders: []Order{
			{ID: "paid", Customer: customerA, Status: "paid", Total: 500, Lines: 500, Copies: map[string]int{"b": 2}},
			{ID: "declined", Customer: customerA, Status: "cancelled", Reason: "declined", Total: 300, Lines: 300, Copies: map[string]int{"b": 1}},
		},
		Keys: []Key{
			{customerA, "k1", "paid", 201}, {customerA, "k2", "declined", 402},
			{customerA, "k3", "00000000-0000-0000-0000-000000000000", 409},
		},
		Payments:  []payment{{"paid", "captured", 500}, {"declined", "declined", 300}},
		Shipments: []shipment{{"paid", "preparing"}},
		Shelves:   []shelf{{Book: "b", Delivered: 10, OnHand: 8, Sold: 2}},
		Ledger:    []Entry{{Effect: "charge", Reference: "paid", Amount: 500}, {Effect: "decline", Reference: "declined", Amount: 300}},
		Mails:     []Mail{receiptMail("m1", "paid"), receiptMail("m1", "paid")}, // came twice, is one
	}
	return f, []*Attempt{
		{Customer: customerA, Key: "k1", Cart: []shop.Line{{BookID: "b", Quantity: 2}}, Sure: true, Outcome: Paid, Order: "paid"},
		{Customer: customerA, Key: "k2", Cart: []shop.Line{{BookID: "b", Quantity: 1}}, Sure: true, Outcome: Declined, Order: "declined"},
		{Customer: customerA, Key: "k3", Outcome: Refused},
	}
}

func receiptMail(id, order string) Mail {
	return Mail{MessageID: id, Subject: SubjectPaid, Body: "Hello,\n\nYour order: " + order + "\n"}
}

func regretMail(id, order string) Mail {
	return Mail{MessageID: id, Subject: SubjectCancelled, Body: "Hello,\n\nYour order: " + order + "\n"}
}

func TestJudge(t *testing.T) {
	t.Parallel()

	t.Run("finds nothing in a shop that is well kept", func(t *testing.T) {
		t.Parallel()
		require.Empty(t, Judge(wellKept()))
	})

	t.Run("takes a charge that was given back for no charge", func(t *testing.T) {
		t.Parallel()
		f, attempts := wellKept()
		f.Orders[1].Reason, f.Payments[1].Status = "customer", "refunded"
		f.Ledger = []Entry{f.Ledger[0], {Effect: "charge", Reference: "declined", Amount: 300}, {Effect: "refund", Reference: "declined", Amount: 300}}
		f.Mails = append(f.Mails, receiptMail("m2", "declined"), regretMail("m3", "declined"))
		attempts[1].Outcome = Unknown
		require.Empty(t, Judge(f, attempts, &Deed{Customer: customerA, Order: "declined", What: Cancel}))
	})

	// Each case spoils one thing, and names the rule that must notice.
	cases := map[string]struct {
		spoil func(f *Facts, a []*Attempt)
		rule  string
	}{
		"an event that nobody handled": {func(f *Facts, a []*Attempt) { f.Left = []string{"1 events"} },
			"the shop comes to rest by itself"},
		"an order that stays pending": {func(f *Facts, a []*Attempt) { f.Orders[0].Status = "pending" },
			"every order is paid or cancelled"},
		"a total that is not the lines'": {func(f *Facts, a []*Attempt) { f.Orders[0].Lines = 499 },
			"an order's total is what its lines come to"},
		"a charge that was made twice": {func(f *Facts, a []*Attempt) { f.Ledger = append(f.Ledger, f.Ledger[0]) },
			"the card processor decides once per order"},
		"a paid order without a charge": {func(f *Facts, a []*Attempt) { f.Ledger = f.Ledger[1:] },
			"money is taken exactly for paid orders"},
		"a charge that was refunded under a paid order": {func(f *Facts, a []*Attempt) {
			f.Ledger = append(f.Ledger, Entry{Effect: "refund", Reference: "paid", Amount: 500})
		}, "money is taken exactly for paid orders"},
		"a cancelled order that is charged": {func(f *Facts, a []*Attempt) { f.Ledger[1].Effect = "charge" },
			"money is taken exactly for paid orders"},
		"a charge of another amount": {func(f *Facts, a []*Attempt) { f.Ledger[0].Amount = 501 },
			"what is taken is the order's total"},
		"a charge without an order": {func(f *Facts, a []*Attempt) {
			f.Ledger = append(f.Ledger, Entry{Effect: "charge", Reference: "ghost", Amount: 1})
		}, "nothing is charged without an order"},
		"a payment without an order": {func(f *Facts, a []*Attempt) { f.Payments = append(f.Payments, payment{"ghost", "captured", 1}) },
			"no payment is without an order"},
		"a paid order without a payment": {func(f *Facts, a []*Attempt) { f.Payments = f.Payments[1:] },
			"an order has one payment"},
		"a payment that stays pending": {func(f *Facts, a []*Attempt) { f.Payments[0].Status = "pending" },
			"payments agree with the ledger"},
		"a payment of another amount": {func(f *Facts, a []*Attempt) { f.Payments[0].Amount = 1 },
			"a payment is of the order's total"},
		"more sold than there was": {func(f *Facts, a []*Attempt) { f.Shelves[0].OnHand, f.Shelves[0].Sold = -1, 11 },
			"stock is never negative"},
		"a reservation that nobody needs": {func(f *Facts, a []*Attempt) { f.Shelves[0].Reserved = 1 },
			"nothing is reserved for nobody"},
		"a copy that is lost": {func(f *Facts, a []*Attempt) { f.Shelves[0].OnHand = 7 },
			"what came in is in stock or sold"},
		"a key that nobody sent": {func(f *Facts, a []*Attempt) { f.Keys[2].Key = "k9" },
			"a key is its customer's"},
		"an order without a key": {func(f *Facts, a []*Attempt) { f.Keys = f.Keys[1:] },
			"an order belongs to one key"},
		"an order under two keys": {func(f *Facts, a []*Attempt) { f.Keys[2].About = "paid" },
			"an order belongs to one key"},
		"an acknowledged order that is gone": {func(f *Facts, a []*Attempt) { a[0].Order = "gone" },
			"an order that was acknowledged is there"},
		"a 201 whose order is cancelled": {func(f *Facts, a []*Attempt) { a[1].Outcome = Paid },
			"an order acknowledged as paid is paid"},
		"a 402 whose order is paid": {func(f *Facts, a []*Attempt) { a[0].Outcome = Declined },
			"an order acknowledged as declined is cancelled"},
		"a 202 that ended cancelled without a mail": {func(f *Facts, a []*Attempt) { a[1].Outcome = Accepted },
			"who got 202 is told of a cancellation by mail"},
		"a 201 without an order": {func(f *Facts, a []*Attempt) { a[0].Order = "" },
			"an answer names its order"},
		"an answer that the contract does not know": {func(f *Facts, a []*Attempt) { a[2].Odd = "500" },
			"customers get only answers that the contract knows"},
		"an order of something else": {func(f *Facts, a []*Attempt) { a[0].Cart[0].Quantity = 1 },
			"an order is what was in the cart"},
		"a paid order that is not sent": {func(f *Facts, a []*Attempt) { f.Shipments = nil },
			"paid orders have one shipment, others none"},
		"a cancelled order that is sent": {func(f *Facts, a []*Attempt) { f.Shipments = append(f.Shipments, shipment{"declined", "preparing"}) },
			"paid orders have one shipment, others none"},
		"a shipment without an order": {func(f *Facts, a []*Attempt) { f.Shipments = append(f.Shipments, shipment{"ghost", "preparing"}) },
			"no shipment is without an order"},
		"a receipt that never came": {func(f *Facts, a []*Attempt) { f.Mails = nil },
			"paid orders have one receipt, others none"},
		"two receipts for one order": {func(f *Facts, a []*Attempt) { f.Mails[1].MessageID = "m2" },
			"paid orders have one receipt, others none"},
		"a receipt for a cancelled order": {func(f *Facts, a []*Attempt) { f.Mails = append(f.Mails, receiptMail("m3", "declined")) },
			"paid orders have one receipt, others none"},
		"a cancellation told twice": {func(f *Facts, a []*Attempt) {
			f.Mails = append(f.Mails, regretMail("m3", "declined"), regretMail("m4", "declined"))
		}, "who is told of a cancellation is told once, and truly"},
		"a cancellation of a paid order": {func(f *Facts, a []*Attempt) { f.Mails = append(f.Mails, regretMail("m3", "paid")) },
			"who is told of a cancellation is told once, and truly"},
	}
	for name, c := range cases {
		t.Run("notices "+name, func(t *testing.T) {
			t.Parallel()
			f, attempts := wellKept()
			c.spoil(f, attempts)
			broken := Judge(f, attempts)
			require.True(t, slices.ContainsFunc(broken, func(v Violation) bool { return v.Rule == c.rule }), "%v", broken)
		})
	}
}

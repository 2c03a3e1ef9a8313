package chaos

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/shop"
)

const customerA = "a@banyan.example"

// wellKept is a shop with a paid and a cancelled order, and what their customers have written down.
func wellKept() (*facts, []*attempt) {
	f := &facts{
		orders: []orderRow{
			{ID: "paid", Customer: customerA, Status: "paid", Total: 500, Lines: 500, Copies: map[string]int{"b": 2}},
			{ID: "declined", Customer: customerA, Status: "cancelled", Reason: "declined", Total: 300, Lines: 300, Copies: map[string]int{"b": 1}},
		},
		keys: []keyRow{
			{customerA, "k1", "paid", 201}, {customerA, "k2", "declined", 402},
			{customerA, "k3", "00000000-0000-0000-0000-000000000000", 409},
		},
		payments:  []paymentRow{{"paid", "captured", 500}, {"declined", "declined", 300}},
		shipments: []shipmentRow{{"paid", "preparing"}},
		shelves:   []shelfRow{{Book: "b", Delivered: 10, OnHand: 8, Sold: 2}},
		ledger:    []entry{{Effect: "charge", Reference: "paid", Amount: 500}, {Effect: "decline", Reference: "declined", Amount: 300}},
		mails:     []mail{receiptMail("m1", "paid"), receiptMail("m1", "paid")}, // came twice, is one
	}
	return f, []*attempt{
		{Customer: customerA, Key: "k1", Cart: []shop.Line{{BookID: "b", Quantity: 2}}, Sure: true, Outcome: outcomePaid, Order: "paid"},
		{Customer: customerA, Key: "k2", Cart: []shop.Line{{BookID: "b", Quantity: 1}}, Sure: true, Outcome: outcomeDeclined, Order: "declined"},
		{Customer: customerA, Key: "k3", Outcome: outcomeRefused},
	}
}

func receiptMail(id, order string) mail {
	return mail{MessageID: id, Subject: subjectPaid, Body: "Hello,\n\nYour order: " + order + "\n"}
}

func regretMail(id, order string) mail {
	return mail{MessageID: id, Subject: subjectCancelled, Body: "Hello,\n\nYour order: " + order + "\n"}
}

func TestJudge(t *testing.T) {
	t.Parallel()

	t.Run("finds nothing in a shop that is well kept", func(t *testing.T) {
		t.Parallel()
		require.Empty(t, judge(wellKept()))
	})

	t.Run("takes a charge that was given back for no charge", func(t *testing.T) {
		t.Parallel()
		f, attempts := wellKept()
		f.orders[1].Reason, f.payments[1].Status = "customer", "refunded"
		f.ledger = []entry{f.ledger[0], {Effect: "charge", Reference: "declined", Amount: 300}, {Effect: "refund", Reference: "declined", Amount: 300}}
		f.mails = append(f.mails, receiptMail("m2", "declined"), regretMail("m3", "declined"))
		attempts[1].Outcome = outcomeUnknown
		require.Empty(t, judge(f, attempts, &deed{Customer: customerA, Order: "declined", What: deedCancel}))
	})

	// Each case spoils one thing, and names the rule that must notice.
	cases := map[string]struct {
		spoil func(f *facts, a []*attempt)
		rule  string
	}{
		"an event that nobody handled": {func(f *facts, a []*attempt) { f.left = []string{"1 events"} },
			"the shop comes to rest by itself"},
		"an order that stays pending": {func(f *facts, a []*attempt) { f.orders[0].Status = "pending" },
			"every order is paid or cancelled"},
		"a total that is not the lines'": {func(f *facts, a []*attempt) { f.orders[0].Lines = 499 },
			"an order's total is what its lines come to"},
		"a charge that was made twice": {func(f *facts, a []*attempt) { f.ledger = append(f.ledger, f.ledger[0]) },
			"the card processor decides once per order"},
		"a paid order without a charge": {func(f *facts, a []*attempt) { f.ledger = f.ledger[1:] },
			"money is taken exactly for paid orders"},
		"a charge that was refunded under a paid order": {func(f *facts, a []*attempt) {
			f.ledger = append(f.ledger, entry{Effect: "refund", Reference: "paid", Amount: 500})
		}, "money is taken exactly for paid orders"},
		"a cancelled order that is charged": {func(f *facts, a []*attempt) { f.ledger[1].Effect = "charge" },
			"money is taken exactly for paid orders"},
		"a charge of another amount": {func(f *facts, a []*attempt) { f.ledger[0].Amount = 501 },
			"what is taken is the order's total"},
		"a charge without an order": {func(f *facts, a []*attempt) {
			f.ledger = append(f.ledger, entry{Effect: "charge", Reference: "ghost", Amount: 1})
		}, "nothing is charged without an order"},
		"a payment without an order": {func(f *facts, a []*attempt) { f.payments = append(f.payments, paymentRow{"ghost", "captured", 1}) },
			"no payment is without an order"},
		"a paid order without a payment": {func(f *facts, a []*attempt) { f.payments = f.payments[1:] },
			"an order has one payment"},
		"a payment that stays pending": {func(f *facts, a []*attempt) { f.payments[0].Status = "pending" },
			"payments agree with the ledger"},
		"a payment of another amount": {func(f *facts, a []*attempt) { f.payments[0].Amount = 1 },
			"a payment is of the order's total"},
		"more sold than there was": {func(f *facts, a []*attempt) { f.shelves[0].OnHand, f.shelves[0].Sold = -1, 11 },
			"stock is never negative"},
		"a reservation that nobody needs": {func(f *facts, a []*attempt) { f.shelves[0].Reserved = 1 },
			"nothing is reserved for nobody"},
		"a copy that is lost": {func(f *facts, a []*attempt) { f.shelves[0].OnHand = 7 },
			"what came in is in stock or sold"},
		"a key that nobody sent": {func(f *facts, a []*attempt) { f.keys[2].Key = "k9" },
			"a key is its customer's"},
		"an order without a key": {func(f *facts, a []*attempt) { f.keys = f.keys[1:] },
			"an order belongs to one key"},
		"an order under two keys": {func(f *facts, a []*attempt) { f.keys[2].About = "paid" },
			"an order belongs to one key"},
		"an acknowledged order that is gone": {func(f *facts, a []*attempt) { a[0].Order = "gone" },
			"an order that was acknowledged is there"},
		"a 201 whose order is cancelled": {func(f *facts, a []*attempt) { a[1].Outcome = outcomePaid },
			"an order acknowledged as paid is paid"},
		"a 402 whose order is paid": {func(f *facts, a []*attempt) { a[0].Outcome = outcomeDeclined },
			"an order acknowledged as declined is cancelled"},
		"a 202 that ended cancelled without a mail": {func(f *facts, a []*attempt) { a[1].Outcome = outcomeAccepted },
			"who got 202 is told of a cancellation by mail"},
		"a 201 without an order": {func(f *facts, a []*attempt) { a[0].Order = "" },
			"an answer names its order"},
		"an answer that the contract does not know": {func(f *facts, a []*attempt) { a[2].Odd = "500" },
			"customers get only answers that the contract knows"},
		"an order of something else": {func(f *facts, a []*attempt) { a[0].Cart[0].Quantity = 1 },
			"an order is what was in the cart"},
		"a paid order that is not sent": {func(f *facts, a []*attempt) { f.shipments = nil },
			"paid orders have one shipment, others none"},
		"a cancelled order that is sent": {func(f *facts, a []*attempt) { f.shipments = append(f.shipments, shipmentRow{"declined", "preparing"}) },
			"paid orders have one shipment, others none"},
		"a shipment without an order": {func(f *facts, a []*attempt) { f.shipments = append(f.shipments, shipmentRow{"ghost", "preparing"}) },
			"no shipment is without an order"},
		"a receipt that never came": {func(f *facts, a []*attempt) { f.mails = nil },
			"paid orders have one receipt, others none"},
		"two receipts for one order": {func(f *facts, a []*attempt) { f.mails[1].MessageID = "m2" },
			"paid orders have one receipt, others none"},
		"a receipt for a cancelled order": {func(f *facts, a []*attempt) { f.mails = append(f.mails, receiptMail("m3", "declined")) },
			"paid orders have one receipt, others none"},
		"a cancellation told twice": {func(f *facts, a []*attempt) {
			f.mails = append(f.mails, regretMail("m3", "declined"), regretMail("m4", "declined"))
		}, "who is told of a cancellation is told once, and truly"},
		"a cancellation of a paid order": {func(f *facts, a []*attempt) { f.mails = append(f.mails, regretMail("m3", "paid")) },
			"who is told of a cancellation is told once, and truly"},
	}
	for name, c := range cases {
		t.Run("notices "+name, func(t *testing.T) {
			t.Parallel()
			f, attempts := wellKept()
			c.spoil(f, attempts)
			broken := judge(f, attempts)
			require.True(t, slices.ContainsFunc(broken, func(v Violation) bool { return v.Rule == c.rule }), "%v", broken)
		})
	}
}

func TestBySweeper(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	at := func(seconds int) *time.Time { t := noon.Add(time.Duration(seconds) * time.Second); return &t }
	f := &facts{
		orders: []orderRow{
			{ID: "by its request", Status: "paid", PlacedAt: noon, SettledAt: at(1)},
			{ID: "after a kill", Status: "paid", PlacedAt: noon, SettledAt: at(8)},
			{ID: "after a 202", Status: "paid", PlacedAt: noon, SettledAt: at(3)},
			{ID: "never answered", Status: "cancelled", PlacedAt: noon},
			{ID: "by nobody", Status: "pending", PlacedAt: noon},
		},
		keys: []keyRow{{About: "by its request", Status: 201}, {About: "after a kill", Status: 201}, {About: "after a 202", Status: 202}},
	}
	deaths := []death{{Process: "orders", At: *at(5)}, {Process: "shipping", At: noon.Add(time.Millisecond)}}
	require.Equal(t, 3, bySweeper(f, deaths, "orders"))
}

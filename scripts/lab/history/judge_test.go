package history

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/invariants"
	"banyan/scripts/lab/shop"
)

const customerA = "a@banyan.example"

// wellKept is a shop with a paid and a cancelled order, and what their customers have written down.
func wellKept() (*invariants.Facts, []*Attempt) {
	f := &invariants.Facts{
		Orders: []invariants.Order{
			{ID: "paid", Customer: customerA, Status: "paid", Total: 500, Copies: map[string]int{"b": 2}},
			{ID: "declined", Customer: customerA, Status: "cancelled", Reason: "declined", Total: 300, Copies: map[string]int{"b": 1}},
		},
		Keys: []invariants.Key{
			{Customer: customerA, Key: "k1", About: "paid", Status: 201}, {Customer: customerA, Key: "k2", About: "declined", Status: 402},
			{Customer: customerA, Key: "k3", About: "00000000-0000-0000-0000-000000000000", Status: 409},
		},
	}
	return f, []*Attempt{
		{Customer: customerA, Key: "k1", Cart: []shop.Line{{BookID: "b", Quantity: 2}}, Sure: true, Outcome: Paid, Order: "paid"},
		{Customer: customerA, Key: "k2", Cart: []shop.Line{{BookID: "b", Quantity: 1}}, Sure: true, Outcome: Declined, Order: "declined"},
		{Customer: customerA, Key: "k3", Outcome: Refused},
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()

	t.Run("finds nothing in a shop that is well kept", func(t *testing.T) {
		t.Parallel()
		f, attempts := wellKept()
		require.Empty(t, (&History{Attempts: attempts}).judge(f).All)
	})

	t.Run("lets an order be cancelled when its customer asked for that", func(t *testing.T) {
		t.Parallel()
		f, attempts := wellKept()
		f.Orders[1].Reason = "customer"
		attempts[1].Outcome = Unknown
		require.Empty(t, (&History{Attempts: attempts, Deeds: []*Deed{{Customer: customerA, Order: "declined", What: Cancel}}}).judge(f).All)
	})

	t.Run("lets a 202 be cancelled when its customer was told by mail", func(t *testing.T) {
		t.Parallel()
		f, attempts := wellKept()
		attempts[1].Outcome = Accepted
		f.Mails = []invariants.Mail{{MessageID: "m", Subject: invariants.SubjectCancelled, Body: "Hello,\n\nYour order: declined\n"}}
		require.Empty(t, (&History{Attempts: attempts}).judge(f).All)
	})

	// Each case spoils one thing, and names the rule that must notice.
	cases := map[string]struct {
		spoil func(f *invariants.Facts, a []*Attempt)
		rule  string
	}{
		"a key that nobody sent": {func(f *invariants.Facts, a []*Attempt) { f.Keys[2].Key = "k9" },
			"a key is its customer's"},
		"an order without a key": {func(f *invariants.Facts, a []*Attempt) { f.Keys = f.Keys[1:] },
			"an order belongs to one key"},
		"an order under two keys": {func(f *invariants.Facts, a []*Attempt) { f.Keys[2].About = "paid" },
			"an order belongs to one key"},
		"an acknowledged order that is gone": {func(f *invariants.Facts, a []*Attempt) { a[0].Order = "gone" },
			"an order that was acknowledged is there"},
		"a 201 whose order is cancelled": {func(f *invariants.Facts, a []*Attempt) { a[1].Outcome = Paid },
			"an order acknowledged as paid is paid"},
		"a 402 whose order is paid": {func(f *invariants.Facts, a []*Attempt) { a[0].Outcome = Declined },
			"an order acknowledged as declined is cancelled"},
		"a 202 that ended cancelled without a mail": {func(f *invariants.Facts, a []*Attempt) { a[1].Outcome = Accepted },
			"who got 202 is told of a cancellation by mail"},
		"a 201 without an order": {func(f *invariants.Facts, a []*Attempt) { a[0].Order = "" },
			"an answer names its order"},
		"an answer that the contract does not know": {func(f *invariants.Facts, a []*Attempt) { a[2].Odd = "500" },
			"customers get only answers that the contract knows"},
		"an order of something else": {func(f *invariants.Facts, a []*Attempt) { a[0].Cart[0].Quantity = 1 },
			"an order is what was in the cart"},
		"an order that was cancelled though nobody asked": {func(f *invariants.Facts, a []*Attempt) { f.Orders[1].Reason = "customer" },
			"nothing happens to an order that nobody asked for"},
	}
	for name, c := range cases {
		t.Run("notices "+name, func(t *testing.T) {
			t.Parallel()
			f, attempts := wellKept()
			c.spoil(f, attempts)
			broken := (&History{Attempts: attempts}).judge(f).All
			require.True(t, slices.ContainsFunc(broken, func(v Violation) bool { return v.Rule == c.rule }), "%v", broken)
		})
	}
}

package history

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/invariants"
)

// wellLooked is what the customer of the well kept shop did with the paid order: looked at it twice, and found it listed.
func wellLooked(a []*Attempt) []*Deed {
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	a[0].Began, a[0].Ended = noon, noon.Add(time.Second)
	at := func(second int, what string) *Deed {
		began := noon.Add(time.Duration(second) * time.Second)
		return &Deed{
			Customer: customerA, Order: "paid", What: what, Began: began, Ended: began.Add(500 * time.Millisecond),
			Status: http.StatusOK, State: "paid", Total: 500,
		}
	}
	return []*Deed{at(2, Read), at(4, Read), at(6, List)}
}

func TestJudgeDeeds(t *testing.T) {
	t.Parallel()

	t.Run("finds nothing in answers that agree", func(t *testing.T) {
		t.Parallel()
		f, a := wellKept()
		require.Empty(t, (&History{Attempts: a, Deeds: wellLooked(a)}).judge(f).All)
	})

	t.Run("lets answers that overlap come in any order", func(t *testing.T) {
		t.Parallel()
		f, a := wellKept()
		d := wellLooked(a)
		d[1].Began, d[1].State = d[0].Began.Add(100*time.Millisecond), "pending"
		a[0].Outcome, a[0].Ended = Accepted, d[0].Began
		require.Empty(t, (&History{Attempts: a, Deeds: d}).judge(f).All)
	})

	t.Run("takes a parcel that has left for that", func(t *testing.T) {
		t.Parallel()
		f, a := wellKept()
		d := wellLooked(a)
		f.Orders[0].Status = "shipped"
		d[1].What, d[1].State = Dispatch, "dispatched"
		d[2].State = "shipped"
		require.Empty(t, (&History{Attempts: a, Deeds: d}).judge(f).All)
	})

	cases := map[string]struct {
		spoil func(f *invariants.Facts, a []*Attempt, d []*Deed)
		rule  string
	}{
		"a paid order that is pending again": {func(f *invariants.Facts, a []*Attempt, d []*Deed) { d[1].State = "pending" },
			"no answer is contradicted later"},
		"an order that was cancelled in between": {func(f *invariants.Facts, a []*Attempt, d []*Deed) { d[0].State = "cancelled" },
			"no answer is contradicted later"},
		"an order that was shipped, and is not in the end": {func(f *invariants.Facts, a []*Attempt, d []*Deed) { d[2].State = "shipped" },
			"no answer is contradicted later"},
		"an order that was paid by the checkout's answer, and pending after": {func(f *invariants.Facts, a []*Attempt, d []*Deed) { d[0].State = "pending" },
			"no answer is contradicted later"},
		"a total that changes": {func(f *invariants.Facts, a []*Attempt, d []*Deed) { d[1].Total = 499 },
			"no answer is contradicted later"},
		"an order that was seen and is not there": {func(f *invariants.Facts, a []*Attempt, d []*Deed) { d[1].Order = "gone" },
			"an order that was acknowledged is there"},
		"an order that the list leaves out": {func(f *invariants.Facts, a []*Attempt, d []*Deed) { d[2].State = "" },
			"an order that was acknowledged is listed"},
		"a cancellation that did not last": {func(f *invariants.Facts, a []*Attempt, d []*Deed) { d[1].What, d[1].State = Cancel, "cancelled" },
			"a cancellation that was acknowledged is kept"},
		"a parcel that left for an order that is not shipped": {func(f *invariants.Facts, a []*Attempt, d []*Deed) {
			d[1].What, d[1].State = Dispatch, "dispatched"
		}, "a parcel that has left stays away"},
		"a cancellation refused for a parcel that never left": {func(f *invariants.Facts, a []*Attempt, d []*Deed) {
			d[1].What, d[1].Status, d[1].Code, d[1].State = Cancel, http.StatusConflict, "order-shipped", ""
		}, "a parcel that has left stays away"},
		"a parcel held back for an order that is paid": {func(f *invariants.Facts, a []*Attempt, d []*Deed) {
			d[1].What, d[1].Status, d[1].Code, d[1].State = Dispatch, http.StatusConflict, "shipment-cancelled", ""
		}, "a parcel that must not leave is of a cancelled order"},
		"a read that is refused": {func(f *invariants.Facts, a []*Attempt, d []*Deed) {
			d[0].Status, d[0].State = http.StatusInternalServerError, ""
		},
			"customers get only answers that the contract knows"},
		"an order that is shipped though nobody asked": {func(f *invariants.Facts, a []*Attempt, d []*Deed) { f.Orders[0].Status = "shipped" },
			"nothing happens to an order that nobody asked for"},
	}
	for name, c := range cases {
		t.Run("notices "+name, func(t *testing.T) {
			t.Parallel()
			f, a := wellKept()
			d := wellLooked(a)
			c.spoil(f, a, d)
			broken := (&History{Attempts: a, Deeds: d}).judge(f).All
			require.True(t, slices.ContainsFunc(broken, func(v Violation) bool { return v.Rule == c.rule }), "%v", broken)
		})
	}
}

package crash

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/invariants"
)

func TestBySweeper(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	at := func(seconds int) *time.Time { t := noon.Add(time.Duration(seconds) * time.Second); return &t }
	f := &invariants.Facts{
		Orders: []invariants.Order{
			{ID: "by its request", Status: "paid", PlacedAt: noon, SettledAt: at(1)},
			{ID: "after a kill", Status: "paid", PlacedAt: noon, SettledAt: at(8)},
			{ID: "after a 202", Status: "paid", PlacedAt: noon, SettledAt: at(3)},
			{ID: "never answered", Status: "cancelled", PlacedAt: noon},
			{ID: "by nobody", Status: "pending", PlacedAt: noon},
		},
		Keys: []invariants.Key{{About: "by its request", Status: 201}, {About: "after a kill", Status: 201}, {About: "after a 202", Status: 202}},
	}
	deaths := []death{{Process: "orders", At: *at(5)}, {Process: "shipping", At: noon.Add(time.Millisecond)}}
	require.Equal(t, 3, bySweeper(f, deaths, "orders"))
}

package crash

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/up"
)

// crashBriefly kills the monolith while a few customers buy who soon give up.
func crashBriefly(t *testing.T, sweepAfter, settleWithin time.Duration) *Report {
	t.Helper()
	dir := t.TempDir()
	t.Cleanup(func() { require.NoError(t, up.Wipe(dir)) })
	report, err := Run(t.Context(), Options{
		Side: up.Monolith, Checkouts: 36, Customers: 12, Seed: 2, Dir: dir,
		SweepAfter: sweepAfter, SettleWithin: settleWithin, Patience: time.Second,
	})
	require.NoError(t, err)
	require.NotEmpty(t, report.Kills)
	require.NotZero(t, report.Unknown, "the kills must be felt")
	return report
}

// broken are the rules that do not hold, except for those of mail. What a killed process was sending waits until its lease is
// over, which is longer than this test waits; lab crash does wait.
func broken(r *Report) (rules []string) {
	ofMail := []string{
		"no mail is queued", "a paid order has one receipt, and an unpaid one none", "a cancellation and a dispatch are told once, and truly",
	}
	for _, v := range r.Broken() {
		if !slices.Contains(ofMail, v.Rule) {
			rules = append(rules, v.Rule)
		}
	}
	for _, v := range r.Violations {
		if v.Detail != "a mail is queued" {
			rules = append(rules, v.Rule)
		}
	}
	return rules
}

func TestCrash(t *testing.T) {
	t.Parallel()

	t.Run("leaves nothing unfinished", func(t *testing.T) {
		t.Parallel()
		report := crashBriefly(t, time.Second, 6*time.Second)
		require.Empty(t, broken(report))
		require.NotZero(t, report.Paid)
		require.NotZero(t, report.BySweeper)
	})

	t.Run("is seen to leave something unfinished when there is no sweeper", func(t *testing.T) {
		t.Parallel()
		report := crashBriefly(t, 24*time.Hour, 2*time.Second)
		require.NotZero(t, report.Pending)
		require.Subset(t, broken(report), []string{"no order is pending", "the shop comes to rest by itself"})
	})
}

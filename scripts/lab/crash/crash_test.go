package crash

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/history"
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

// ofMail says that a violation is about mail. What a killed process was sending waits until its lease is over,
// which is longer than this test waits; lab crash does wait.
func ofMail(v history.Violation) bool {
	return strings.HasSuffix(v.Detail, "mails queued") || v.Rule == "paid orders have one receipt, others none"
}

func TestCrash(t *testing.T) {
	t.Parallel()

	t.Run("leaves nothing unfinished", func(t *testing.T) {
		t.Parallel()
		report := crashBriefly(t, time.Second, 6*time.Second)
		require.Empty(t, slices.DeleteFunc(report.Violations, ofMail))
		require.NotZero(t, report.Paid)
		require.NotZero(t, report.BySweeper)
	})

	t.Run("is seen to leave something unfinished when there is no sweeper", func(t *testing.T) {
		t.Parallel()
		report := crashBriefly(t, 24*time.Hour, 2*time.Second)
		require.NotZero(t, report.Pending)
		require.True(t, slices.ContainsFunc(report.Violations, func(v history.Violation) bool {
			return v.Rule == "every order is paid or cancelled"
		}), "%v", report.Violations)
	})
}

package orders

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
)

func TestOldestPending(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	require.Zero(t, testutil.ToFloat64(OldestPending(s.pool)), "no order is pending")
	ada, b := s.customer(), s.book("Emma", 1000, 5)
	ada.puts(1, b)
	s.cashier.goes(losesRequests)
	ada.pays("tok_visa", newKey()).is(202)
	s.exec(`update orders set placed_at = placed_at - interval '90 seconds'`)
	require.InDelta(t, 100, testutil.ToFloat64(OldestPending(s.pool)), 15)
	s.cashier.goes(nil)
	s.sweeps()
	require.Zero(t, testutil.ToFloat64(OldestPending(s.pool)), "it is settled")
	problems, err := testutil.CollectAndLint(OldestPending(s.pool))
	require.NoError(t, err)
	require.Empty(t, problems)
	require.NoError(t, testutil.CollectAndCompare(OldestPending(s.pool), strings.NewReader(`
		# HELP orders_oldest_pending_seconds Age of the oldest pending order, 0 if there is none.
		# TYPE orders_oldest_pending_seconds gauge
		orders_oldest_pending_seconds 0
	`)))
}

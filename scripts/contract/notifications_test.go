package contract_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNotifications(t *testing.T) {
	t.Parallel()
	ada, ben, b := customer(t), customer(t), bookWith(t, 5)
	ada.mailed("welcome")
	ada.puts(1, b)
	paid := ada.buys()
	ada.mailed("welcome", "order_paid")
	ada.cancels(paid.ID).is(http.StatusOK)
	all := ada.mailed("welcome", "order_paid", "order_cancelled")

	t.Run("are listed newest first", func(t *testing.T) {
		t.Parallel()
		var kinds []string
		for _, n := range all {
			kinds = append(kinds, n.Kind)
		}
		require.Equal(t, []string{"order_cancelled", "order_paid", "welcome"}, kinds)
	})

	t.Run("are the same in pages of one", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, all, allPages[notification](ada.in(t), "/v1/notifications?limit=1"))
	})

	t.Run("are one's own", func(t *testing.T) {
		t.Parallel()
		ben.in(t).mailed("welcome")
	})
}

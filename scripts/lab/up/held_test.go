package up

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHeld(t *testing.T) {
	t.Parallel()
	every := []string{
		"/v1/accounts", "/v1/sessions", "/v1/books", "/v1/stock", "/v1/cart", "/v1/orders", "/v1/payments", "/v1/shipments",
		"/v1/notifications",
	}
	for number, want := range map[int][]string{
		1: nil,
		2: every,
		3: every, // notifications' tokens are exchanged by the trunk until then
		4: {"/v1/books", "/v1/stock", "/v1/cart", "/v1/orders", "/v1/payments", "/v1/shipments"},
		5: {"/v1/stock", "/v1/cart", "/v1/orders", "/v1/payments", "/v1/shipments"},
		6: {"/v1/cart", "/v1/orders", "/v1/payments", "/v1/shipments"},
		7: {"/v1/cart", "/v1/orders", "/v1/shipments"},
		8: {"/v1/cart", "/v1/orders"},
	} {
		require.Equal(t, want, Ladder[number].Held(), "step %d", number)
	}
}

package workload

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/shop"
	"banyan/scripts/lab/workload/fakeshop"
)

// ordered answers with orders of these statuses, newest first; the ids are the statuses.
func ordered(t *testing.T, statuses ...string) http.HandlerFunc {
	t.Helper()
	var found shop.List[shop.Order]
	for _, status := range statuses {
		found.Items = append(found.Items, shop.Order{
			ID: status, Status: status, Total: shop.Money{Amount: 1},
			Items: []shop.Line{{Quantity: 1, UnitPrice: shop.Money{Amount: 1}}},
		})
	}
	text, err := json.Marshal(found)
	require.NoError(t, err)
	return fakeshop.Only("GET /v1/orders", fakeshop.Body(string(text)))
}

func TestSettle(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		statuses []string
		settled  bool
		shows    string
	}{
		"waits while the order is pending":             {[]string{"pending", "paid"}, false, "cancelled"},
		"begins anew when it is paid":                  {[]string{"paid", "cancelled"}, true, "paid"},
		"shows another order if that one is cancelled": {[]string{"cancelled", "shipped"}, true, "shipped"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := fakeshop.New(t, seeded(), ordered(t, c.statuses...))
			b := newTestBrowser(t, at)
			one := b.visitors[0]
			b.visit(t.Context(), one, &visit{interaction: ShoppingCart, quantity: 1})
			one.unsettled, one.order = true, "cancelled"
			b.settle(t.Context())
			require.Empty(t, b.tally.Complaints)
			require.Equal(t, c.settled, !one.unsettled)
			require.Equal(t, c.settled, len(at.Cart(one.email)) == 0)
			require.Equal(t, c.settled, len(one.cart) == 0)
			require.Equal(t, c.shows, one.order)
			asked := b.tally.Requests
			b.settle(t.Context())
			require.Equal(t, c.settled, b.tally.Requests == asked, "a settled customer asks no more")
		})
	}
}

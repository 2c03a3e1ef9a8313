package contract_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLists(t *testing.T) {
	t.Parallel()
	paged := func(o operation) bool { return o.takes("limit") }

	cases := map[string]struct {
		query  string
		status int
		code   string
		blamed string
	}{
		"with limit 0":               {"limit=0", 422, "invalid", "limit"},
		"with limit 101":             {"limit=101", 422, "invalid", "limit"},
		"with limit -1":              {"limit=-1", 422, "invalid", "limit"},
		"with a limit in words":      {"limit=ten", 400, "malformed", "limit"},
		"with a limit and a half":    {"limit=1.5", 400, "malformed", "limit"},
		"with a made-up cursor":      {"cursor=made-up", 400, "malformed", "cursor"},
		"with a cursor of no base64": {"cursor=%25%25", 400, "malformed", "cursor"},
		"with a cursor of null":      {"cursor=bnVsbA", 400, "malformed", "cursor"},
		"with a cursor of {}":        {"cursor=e30", 400, "malformed", "cursor"},
		"with a cursor of []":        {"cursor=W10", 400, "malformed", "cursor"},
		"with a cursor of an id":     {"cursor=" + base64.RawURLEncoding.EncodeToString([]byte(`"`+anID+`"`)), 400, "malformed", "cursor"},
	}
	for name, c := range cases {
		t.Run(name+" are refused", func(t *testing.T) {
			t.Parallel()
			operations(t, paged, func(t *testing.T, o operation) {
				o.visitor(t).get(o.path+"?"+c.query).blames(c.status, c.code, c.blamed)
			})
		})
	}

	t.Run("hold 20 items if nothing else is asked, 100 at most", func(t *testing.T) {
		t.Parallel()
		operations(t, paged, func(t *testing.T, o operation) {
			v := o.visitor(t)
			require.LessOrEqual(t, len(items[object](v, o.path)), 20)
			items[object](v, o.path+"?limit=1")
			items[object](v, o.path+"?limit=100")
		})
	})

	t.Run("ignore parameters that nobody knows", func(t *testing.T) {
		t.Parallel()
		operations(t, paged, func(t *testing.T, o operation) {
			o.visitor(t).get(o.path + "?surprise=1&limit=1").is(http.StatusOK)
		})
	})

	t.Run("take no cursor that another list made", func(t *testing.T) {
		t.Parallel()
		ada := customer(t)
		b := bookWith(t, 2)
		for range 2 {
			ada.puts(1, b)
			o := ada.buys()
			ada.shipment(o.ID, "preparing")
		}
		ada.mailed("welcome", "order_paid", "order_paid")
		staff(t).adds(newBook())
		lists := []string{"/v1/books", "/v1/orders", "/v1/payments", "/v1/shipments", "/v1/notifications"}
		cursors := map[string]string{}
		for _, path := range lists {
			next := into[list[object]](ada.get(path + "?limit=1").is(http.StatusOK)).NextCursor
			require.NotNil(t, next, path)
			cursors[path] = url.QueryEscape(*next)
		}
		for _, path := range lists {
			for _, maker := range lists {
				r := ada.get(path + "?limit=1&cursor=" + cursors[maker])
				if maker == path {
					r.is(http.StatusOK)
					continue
				}
				r.blames(http.StatusBadRequest, "malformed", "cursor")
			}
		}
	})

	ofOrders := func(o operation) bool { return o.takes("order_id") }

	t.Run("of what belongs to an order are empty if there is none", func(t *testing.T) {
		t.Parallel()
		operations(t, ofOrders, func(t *testing.T, o operation) {
			require.Empty(t, items[object](o.visitor(t), o.path+"?order_id="+unknownID()))
		})
	})

	t.Run("of what belongs to an order want a UUID", func(t *testing.T) {
		t.Parallel()
		operations(t, ofOrders, func(t *testing.T, o operation) {
			o.visitor(t).get(o.path+"?order_id=7").blames(http.StatusBadRequest, "malformed", "order_id")
		})
	})
}

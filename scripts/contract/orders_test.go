package contract_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOrders(t *testing.T) {
	t.Parallel()
	ada, ben := customer(t), customer(t)
	b := bookWith(t, 50)
	var placed []order
	for quantity := range 5 {
		ada.puts(quantity+1, b)
		placed = append([]order{ada.buys()}, placed...)
	}

	t.Run("are listed newest first", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, placed, ada.in(t).orders())
	})

	for _, limit := range []string{"1", "2", "5"} {
		t.Run("are the same in pages of "+limit, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, placed, allPages[order](ada.in(t), "/v1/orders?limit="+limit))
		})
	}

	t.Run("are shown one by one", func(t *testing.T) {
		t.Parallel()
		for _, o := range placed {
			require.Equal(t, o, ada.in(t).order(o.ID))
		}
	})

	t.Run("of somebody else do not exist, not even for the staff", func(t *testing.T) {
		t.Parallel()
		for _, v := range []visitor{ben.in(t), staff(t)} {
			v.get("/v1/orders/"+placed[0].ID).refused(http.StatusNotFound, "no-such-order")
			v.cancels(placed[0].ID).refused(http.StatusNotFound, "no-such-order")
			require.Empty(t, items[payment](v, "/v1/payments?order_id="+placed[0].ID))
			require.Empty(t, items[shipment](v, "/v1/shipments?order_id="+placed[0].ID))
		}
		require.Empty(t, ben.in(t).orders())
		require.Equal(t, "paid", ada.in(t).order(placed[0].ID).Status)
	})

	t.Run("have each their payment and their shipment, in lists of one's own", func(t *testing.T) {
		t.Parallel()
		ada := ada.in(t)
		for _, o := range placed {
			require.Equal(t, o.Total, ada.payment(o.ID, "captured").Amount)
			ada.shipment(o.ID, "preparing")
		}
		var paidFor, sentFor, want []string
		for _, o := range placed {
			want = append(want, o.ID)
		}
		for _, p := range allPages[payment](ada, "/v1/payments?limit=2") {
			paidFor = append(paidFor, p.OrderID)
		}
		for _, s := range allPages[shipment](ada, "/v1/shipments?limit=2") {
			sentFor = append(sentFor, s.OrderID)
		}
		require.Equal(t, want, paidFor, "newest first, as the orders are")
		require.ElementsMatch(t, want, sentFor)
		require.Empty(t, items[payment](ben.in(t), "/v1/payments"))
		require.Empty(t, items[shipment](ben.in(t), "/v1/shipments"))
	})

	t.Run("keep the price and the title they were bought at", func(t *testing.T) {
		t.Parallel()
		cleo := customer(t)
		own := stocked(t, newBook().with("price.amount", 700), 5)
		cleo.puts(1, own)
		o := cleo.buys()
		staff(t).patch("/v1/books/"+own.ID, object{"title": "Renamed", "price": object{"amount": 900}}).is(http.StatusOK)
		eventually(t, "the new price has arrived", func() bool { return cleo.puts(1, own).Total == usd(900) })
		require.Equal(t, o, cleo.order(o.ID))
	})
}

package contract_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func (v visitor) dispatches(id string) reply {
	v.t.Helper()
	return v.post("/v1/shipments/"+id+"/dispatch", nil)
}

func TestShipments(t *testing.T) {
	t.Parallel()

	t.Run("once dispatched have a number, make the order shipped and tell by mail", func(t *testing.T) {
		t.Parallel()
		ada, b := customer(t), bookWith(t, 5)
		ada.puts(1, b)
		paid := ada.buys()
		waiting := ada.shipment(paid.ID, "preparing")

		ada.dispatches(waiting.ID).refused(http.StatusForbidden, "forbidden")

		first := staff(t).dispatches(waiting.ID).is(http.StatusOK)
		sent := into[shipment](first)
		require.Equal(t, "dispatched", sent.Status)
		require.Equal(t, paid.ID, sent.OrderID)
		require.NotNil(t, sent.TrackingNumber)
		require.Equal(t, sent, into[shipment](staff(t).dispatches(waiting.ID).is(http.StatusOK)), "again on repeating")
		require.Equal(t, sent, ada.shipment(paid.ID, "dispatched"))

		shipped := paid
		shipped.Status = "shipped"
		require.Equal(t, shipped, ada.becomes(paid.ID, "shipped"))
		ada.mailed("welcome", "order_paid", "order_shipped")

		ada.cancels(paid.ID).refused(http.StatusConflict, "order-shipped")
		require.Equal(t, shipped, ada.order(paid.ID))
		ada.payment(paid.ID, "captured")
		require.Equal(t, 4, copiesOf(t, b))
	})

	t.Run("of a cancelled order stay in the house", func(t *testing.T) {
		t.Parallel()
		ada, b := customer(t), bookWith(t, 5)
		ada.puts(1, b)
		paid := ada.buys()
		ada.shipment(paid.ID, "preparing")
		ada.cancels(paid.ID).is(http.StatusOK)
		stopped := ada.shipment(paid.ID, "cancelled")
		staff(t).dispatches(stopped.ID).refused(http.StatusConflict, "shipment-cancelled")
		require.Equal(t, stopped, ada.shipment(paid.ID, "cancelled"))
	})

	t.Run("dispatched while their order is cancelled do one or the other", func(t *testing.T) {
		t.Parallel()
		ada, b := customer(t), bookWith(t, 5)
		ada.puts(1, b)
		paid := ada.buys()
		waiting := ada.shipment(paid.ID, "preparing")
		s := staff(t)
		replies := atOnce(t, 2, func(i int) (reply, error) {
			if i == 0 {
				return ada.try(http.MethodPost, "/v1/orders/"+paid.ID+"/cancel", nil)
			}
			return s.try(http.MethodPost, "/v1/shipments/"+waiting.ID+"/dispatch", nil)
		})
		if replies[0].status == http.StatusOK {
			replies[1].refused(http.StatusConflict, "shipment-cancelled")
			ada.payment(paid.ID, "refunded")
			comesTo(t, b, 5)
			return
		}
		replies[0].refused(http.StatusConflict, "order-shipped")
		replies[1].is(http.StatusOK)
		ada.becomes(paid.ID, "shipped")
		ada.payment(paid.ID, "captured")
		require.Equal(t, 4, copiesOf(t, b))
	})
}

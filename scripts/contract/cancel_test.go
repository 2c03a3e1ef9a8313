package contract_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func (v visitor) cancels(id string) reply {
	v.t.Helper()
	return v.post("/v1/orders/"+id+"/cancel", nil)
}

func TestCancelling(t *testing.T) {
	t.Parallel()

	t.Run("a paid order gives back the money and the stock, and says so by mail", func(t *testing.T) {
		t.Parallel()
		ada, b := customer(t), bookWith(t, 5)
		ada.puts(2, b)
		paid := ada.buys()

		want := paid
		want.Status, want.CancelReason = "cancelled", new("customer")
		require.Equal(t, want, into[order](ada.cancels(paid.ID).is(http.StatusOK)))
		require.Equal(t, want, into[order](ada.cancels(paid.ID).is(http.StatusOK)), "again on repeating")
		require.Equal(t, want, ada.order(paid.ID))

		require.Equal(t, paid.Total, ada.payment(paid.ID, "refunded").Amount)
		comesTo(t, b, 5)
		ada.shipment(paid.ID, "cancelled")
		ada.mailed("welcome", "order_paid", "order_cancelled")
		require.Empty(t, ada.cart().Items, "the cart stays as it is")

		ada.cancels(paid.ID).is(http.StatusOK)
		require.Equal(t, 5, copiesOf(t, b), "the stock comes back once")
	})

	t.Run("a paid order ten times at once gives the stock back once", func(t *testing.T) {
		t.Parallel()
		ada, b := customer(t), bookWith(t, 5)
		ada.puts(2, b)
		paid := ada.buys()
		for _, r := range atOnce(t, 10, func(int) (reply, error) {
			return ada.try(http.MethodPost, "/v1/orders/"+paid.ID+"/cancel", nil)
		}) {
			require.Equal(t, new("customer"), into[order](r.is(http.StatusOK)).CancelReason)
		}
		ada.payment(paid.ID, "refunded")
		ada.mailed("welcome", "order_paid", "order_cancelled")
		comesTo(t, b, 5)
	})

	t.Run("a declined order answers it as it is", func(t *testing.T) {
		t.Parallel()
		ada, b := customer(t), bookWith(t, 5)
		ada.puts(1, b)
		id := ada.pays("tok_declined", freshKey()).refused(http.StatusPaymentRequired, "declined").OrderID
		for range 2 {
			require.Equal(t, new("declined"), into[order](ada.cancels(id).is(http.StatusOK)).CancelReason)
		}
		ada.payment(id, "declined")
		comesTo(t, b, 5)
	})
}

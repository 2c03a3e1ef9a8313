package contract_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOrderKeys(t *testing.T) {
	t.Parallel()

	t.Run("repeat a paid order's answer byte for byte, and buy once", func(t *testing.T) {
		t.Parallel()
		ada, b, k := customer(t), bookWith(t, 9), freshKey()
		ada.puts(2, b)
		first := ada.pays("tok_visa", k)
		ada.settles(first)
		first.same(ada.pays("tok_visa", k)) // with an empty cart

		ada.puts(1, b)
		first.same(ada.pays("tok_visa", k)) // with another one
		require.Len(t, ada.orders(), 1)
		require.Len(t, ada.cart().Items, 1)
		require.Equal(t, 7, copiesOf(t, b))

		ada.cancels(into[order](first).ID).is(http.StatusOK)
		first.same(ada.pays("tok_visa", k)) // the answer is what was, not what is
	})

	t.Run("repeat a declined card's answer byte for byte", func(t *testing.T) {
		t.Parallel()
		ada, b, k := customer(t), bookWith(t, 9), freshKey()
		ada.puts(2, b)
		first := ada.pays("tok_declined", k).is(http.StatusPaymentRequired)
		first.same(ada.pays("tok_declined", k))
		require.Len(t, ada.orders(), 1)
		comesTo(t, b, 9)
	})

	t.Run("repeat sold out byte for byte, even when there is more by then", func(t *testing.T) {
		t.Parallel()
		ada, b, k := customer(t), bookWith(t, 1), freshKey()
		ada.puts(2, b)
		first := ada.pays("tok_visa", k).is(http.StatusConflict)
		first.refused(http.StatusConflict, "sold-out")
		staff(t).delivers(b, 10)
		first.same(ada.pays("tok_visa", k))
		require.Empty(t, ada.orders())
		ada.buys() // a new key asks anew
	})

	t.Run("are free again after anything else", func(t *testing.T) {
		t.Parallel()
		ada, b, k := customer(t), bookWith(t, 9), freshKey()
		ada.pays("tok_visa", k).refused(http.StatusUnprocessableEntity, "cart-empty")
		ada.post("/v1/orders", object{}, k).refused(http.StatusUnprocessableEntity, "invalid")
		ada.post("/v1/orders", raw("{"), k).refused(http.StatusBadRequest, "malformed")
		ada.puts(1, b)
		ada.settles(ada.pays("tok_visa", k))
	})

	t.Run("hold one body", func(t *testing.T) {
		t.Parallel()
		ada, b, k := customer(t), bookWith(t, 9), freshKey()
		ada.puts(1, b)
		ada.settles(ada.pays("tok_visa", k))
		ada.pays("tok_slow", k).refused(http.StatusUnprocessableEntity, "key-reused")
		require.Len(t, ada.orders(), 1)
	})

	t.Run("are one's own", func(t *testing.T) {
		t.Parallel()
		ada, ben, b, k := customer(t), customer(t), bookWith(t, 9), freshKey()
		ada.puts(1, b)
		ben.puts(1, b)
		o := ada.settles(ada.pays("tok_visa", k))
		require.NotEqual(t, o.ID, ben.settles(ben.pays("tok_visa", k)).ID)
	})

	t.Run("make one order of fifty requests at once", func(t *testing.T) {
		t.Parallel()
		ada, b, k := customer(t), bookWith(t, 9), freshKey()
		ada.puts(1, b)
		var answered []reply
		for _, r := range atOnce(t, 50, func(int) (reply, error) {
			return ada.try(http.MethodPost, "/v1/orders", checkout("tok_visa"), k)
		}) {
			if r.status == http.StatusConflict {
				r.refused(http.StatusConflict, "key-in-use")
				require.NotEmpty(t, r.header.Get("Retry-After"))
				continue
			}
			answered = append(answered, r)
		}
		require.NotEmpty(t, answered, "one of them did the work")
		for _, r := range answered {
			answered[0].same(r)
		}
		ada.settles(answered[0])
		answered[0].same(ada.pays("tok_visa", k))
		require.Len(t, ada.orders(), 1)
		require.Equal(t, 8, copiesOf(t, b))
	})

	t.Run("do not help one customer to two orders at once", func(t *testing.T) {
		t.Parallel()
		ada, b := customer(t), bookWith(t, 9)
		ada.puts(1, b)
		bought := 0
		for _, r := range atOnce(t, 10, func(int) (reply, error) {
			return ada.try(http.MethodPost, "/v1/orders", checkout("tok_visa"), freshKey())
		}) {
			switch r.status {
			case http.StatusCreated, http.StatusAccepted:
				bought++
				ada.settles(r)
			case http.StatusUnprocessableEntity:
				r.refused(http.StatusUnprocessableEntity, "cart-empty") // it came after the one that bought
			default:
				r.refused(http.StatusConflict, "order-pending")
			}
		}
		require.Equal(t, 1, bought, "one cart is bought once")
		require.Len(t, ada.orders(), 1)
		require.Equal(t, 8, copiesOf(t, b))
	})
}

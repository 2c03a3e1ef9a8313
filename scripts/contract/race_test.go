package contract_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// atOnce makes n requests at the same moment and returns the answers.
func atOnce(t *testing.T, n int, request func(i int) (reply, error)) []reply {
	t.Helper()
	replies, errs := make([]reply, n), make([]error, n)
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-start
			replies[i], errs[i] = request(i)
		})
	}
	close(start)
	all.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	return replies
}

func TestLastCopies(t *testing.T) {
	t.Parallel()
	const buyers, copies = 12, 3
	b := bookWith(t, copies)
	crowd := make([]visitor, buyers)
	for i := range crowd {
		crowd[i] = customer(t)
		crowd[i].puts(1, b)
	}

	replies := atOnce(t, buyers, func(i int) (reply, error) {
		return crowd[i].try(http.MethodPost, "/v1/orders", checkout("tok_visa"), freshKey())
	})

	paid := 0
	for i, r := range replies {
		switch r.status {
		case http.StatusConflict:
			r.refused(http.StatusConflict, "sold-out")
			require.Empty(t, crowd[i].orders(), "sold out leaves no order")
			require.Len(t, crowd[i].cart().Items, 1, "and the cart as it was")
			continue
		case http.StatusAccepted:
		default:
			r.is(http.StatusCreated)
		}
		o := into[order](r)
		eventually(t, "the order settles", func() bool {
			o = crowd[i].order(o.ID)
			return o.Status != "pending"
		})
		if o.Status == "cancelled" {
			require.Equal(t, new("sold_out"), o.CancelReason)
			continue
		}
		require.Equal(t, "paid", o.Status)
		paid++
	}
	require.Equal(t, copies, paid, "every copy is sold, and none twice")
	require.Zero(t, copiesOf(t, b))
}

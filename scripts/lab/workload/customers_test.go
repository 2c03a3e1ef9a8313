package workload

import (
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/workload/fakeshop"
)

func TestClientele(t *testing.T) {
	t.Parallel()
	at := fakeshop.New(t, seeded(), nil)
	visitors := Visitors{Catalogue: known(), Customers: 3, Keys: "test"}
	people, err := SignIn(t.Context(), at.URL, visitors)
	require.NoError(t, err)

	require.Len(t, people.customers, 3)
	one := people.customers[0]
	b, err := people.browser(nil, 0, 3)
	require.NoError(t, err)
	t.Cleanup(b.conn.Close)
	b.visit(t.Context(), one, &visit{interaction: ShoppingCart, quantity: 1})
	b.visit(t.Context(), one, &visit{interaction: AdminConfirm, cents: 999})
	require.Empty(t, b.tally.Complaints, "customers and staff are signed in")
	require.NotEmpty(t, at.Cart(one.email))
	require.NoError(t, people.EmptyCarts(t.Context()))
	require.Empty(t, at.Cart(one.email))
	require.False(t, one.unsettled)

	at.Lose(fakeshop.Copies)
	require.NoError(t, people.FillUp(t.Context(), 10))
	require.GreaterOrEqual(t, at.Copies(), 100, "some more than ten checkouts need of any book")

	front := fakeshop.New(t, seeded(), nil)
	other := people.At(front.URL)
	require.Same(t, one, other.customers[0], "the carts are the same at another front")
	require.Error(t, other.FillUp(t.Context(), 1e6), "where this staff is not signed in")
	require.NotEmpty(t, front.Asked())

	visitors.Customers = 1_000_000
	_, err = SignIn(t.Context(), at.URL, visitors)
	require.ErrorContains(t, err, "larger seed size")
}

package mutants

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/wire"
)

func TestTurn(t *testing.T) {
	t.Parallel()
	one := trouble{on: wire.Way{From: "orders", To: "postgres"}, every: 10}
	turns := func(tr *troubles, seed uint64) (which []int) {
		random, left := rand.New(rand.NewPCG(seed, 0)), 1
		for i := range 10_000 {
			if tr.turn(one, random, &left) {
				which = append(which, i)
			}
		}
		return which
	}
	t.Run("comes to one message in so many, and to the same with the same seed", func(t *testing.T) {
		first, again, other := turns(&troubles{}, 1), turns(&troubles{}, 1), turns(&troubles{}, 2)
		require.InDelta(t, 1000, len(first), 100)
		require.Equal(t, first, again)
		require.NotEqual(t, first, other)
	})
	t.Run("does not come to the dead, nor when all is over", func(t *testing.T) {
		require.Empty(t, turns(&troubles{down: map[string]bool{"orders": true}}, 1))
		require.Empty(t, turns(&troubles{over: true}, 1))
	})
}

func TestWhen(t *testing.T) {
	t.Parallel()
	settles := wire.Moment{Statements: []string{"merge into orders o using", "insert into outbox"}}
	require.True(t, runs("merge into orders")(settles))
	require.False(t, runs("into shipments")(settles))
	require.True(t, about("order.paid")(wire.Moment{Subject: "events.orders.order.paid"}))
	require.False(t, about("order.paid")(wire.Moment{Subject: "events.orders.order.cancelled"}))
	charged := wire.Moment{Path: "/charges", Status: 201}
	require.True(t, answers("/charges")(charged))
	charged.Status = 500
	require.False(t, answers("/charges")(charged))
}

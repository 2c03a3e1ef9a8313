package crash

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPlan(t *testing.T) {
	t.Parallel()
	books, victims := []string{"a", "b", "c", "d"}, []string{"orders", "payments"}
	firstKills := func(p plan) []kill {
		var some []kill
		for k := range p.kills {
			if some = append(some, k); len(some) == 50 {
				break
			}
		}
		return some
	}

	t.Run("is the same for the same seed, and another for another", func(t *testing.T) {
		t.Parallel()
		one, again, other := makePlan(1, 100, 7, books, victims), makePlan(1, 100, 7, books, victims), makePlan(2, 100, 7, books, victims)
		require.Equal(t, one.customers, again.customers)
		require.Equal(t, firstKills(one), firstKills(again))
		require.NotEqual(t, one.customers, other.customers)
		require.NotEqual(t, firstKills(one), firstKills(other))
	})

	t.Run("shares out all checkouts", func(t *testing.T) {
		t.Parallel()
		all := 0
		for _, visits := range makePlan(3, 100, 7, books, victims).customers {
			all += len(visits)
			for _, v := range visits {
				require.NotEmpty(t, v.Lines)
				require.LessOrEqual(t, v.After, 500*time.Millisecond)
			}
		}
		require.Equal(t, 100, all)
	})

	t.Run("kills all of the victims, at moments between 0.3 and 1.5 s", func(t *testing.T) {
		t.Parallel()
		seen := map[string]int{}
		for _, k := range firstKills(makePlan(4, 1, 1, books, victims)) {
			seen[k.victim]++
			require.GreaterOrEqual(t, k.after, 300*time.Millisecond)
			require.Less(t, k.after, 1500*time.Millisecond)
		}
		require.Len(t, seen, 2)
	})
}

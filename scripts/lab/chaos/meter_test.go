package chaos

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMeter(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	at := func(ms int) time.Time { return noon.Add(time.Duration(ms) * time.Millisecond) }
	// Usually four a second, so that two are enough.
	measured := func(checkouts ...[2]int) *meter {
		m := &meter{usual: 4}
		for _, c := range checkouts {
			m.add(at(c[0]), at(c[1]))
		}
		return m
	}

	t.Run("sees the first second that sells enough", func(t *testing.T) {
		t.Parallel()
		since, yes := measured([2]int{100, 300}, [2]int{1500, 1600}, [2]int{2000, 2200}).again(noon, noon)
		require.True(t, yes)
		require.Equal(t, at(1600), since)
	})
	t.Run("waits while there is too little", func(t *testing.T) {
		t.Parallel()
		_, yes := measured([2]int{100, 300}, [2]int{1500, 1600}).again(noon, noon)
		require.False(t, yes)
	})
	t.Run("does not count what was begun before the fault was over", func(t *testing.T) {
		t.Parallel()
		_, yes := measured([2]int{-100, 300}, [2]int{-50, 310}, [2]int{100, 320}).again(noon, noon)
		require.False(t, yes)
	})
	t.Run("takes what sold while nothing was broken for the usual", func(t *testing.T) {
		t.Parallel()
		m := &meter{}
		began := time.Now().Add(-2 * time.Second)
		for range 20 {
			m.add(began, began.Add(time.Second))
		}
		m.add(began, began.Add(-time.Second)) // too early
		m.setUsual(began)
		require.InDelta(t, 10, m.usual, 1)
		require.Equal(t, 5, m.enough(began))
	})
	t.Run("expects no more than was sold lately", func(t *testing.T) {
		t.Parallel()
		m := &meter{usual: 20}
		for second := range 60 { // four a second, on a machine that got busy
			for range 4 {
				m.add(at(1000*second), at(1000*second+500))
			}
		}
		require.Equal(t, 2, m.enough(at(60_000)))
		require.Equal(t, 10, m.enough(at(20_000)), "too early to tell")
	})
}

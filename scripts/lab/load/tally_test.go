package load

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRoundsAreAddedUp(t *testing.T) {
	t.Parallel()
	round := func(books, carts int, took time.Duration) *Tally {
		tally := &Tally{Took: time.Second, Declined: 3}
		for range books {
			tally.Serve("book", took)
		}
		for range carts {
			tally.Serve("cart", took)
		}
		tally.Refused.Took(time.Millisecond)
		tally.Keep(Turn{Free: true, Delay: 2 * LateAfter})
		tally.Keep(Turn{Free: true})
		tally.Keep(Turn{Delay: time.Minute})
		return tally
	}
	var all Tally
	all.Add(round(90, 0, time.Millisecond))
	all.Add(round(0, 10, time.Second))
	require.EqualValues(t, 100, all.Served.Count())
	require.EqualValues(t, 90, all.Kind("book").Count())
	require.EqualValues(t, 10, all.Kind("cart").Count())
	require.EqualValues(t, 2, all.Refused.Count())
	require.EqualValues(t, 108, all.Requests())
	require.Equal(t, 2*time.Second, all.Took)
	require.InDelta(t, 50, all.Rate(), 0)
	require.InEpsilon(t, time.Millisecond, all.Served.Percentile(90), 0.001)
	require.InEpsilon(t, time.Second, all.Served.Percentile(91), 0.001)
	require.InEpsilon(t, 100.9*float64(time.Millisecond), all.Served.Mean(), 0.001)
	require.InDelta(t, 0.5, all.LateShare(), 0)
	require.NoError(t, all.Good())

	one, other := errors.New("one"), errors.New("other")
	failed := &Tally{}
	failed.Fail(one)
	failed.Fail(other)
	all.Add(failed)
	require.EqualValues(t, 110, all.Requests())
	require.ErrorIs(t, all.Good(), one)
	require.ErrorContains(t, all.Good(), "2 of 110 requests failed")
}

func TestNothingWasAnswered(t *testing.T) {
	t.Parallel()
	var all Tally
	all.Add(&Tally{})
	require.ErrorContains(t, all.Good(), "nothing was answered")
	require.Zero(t, all.Served.Percentile(99))
	require.Zero(t, all.Served.Mean())
	require.Zero(t, all.LateShare())
	require.False(t, all.TooLate(0.01))
}

func TestFewLateOnesMayBeChance(t *testing.T) {
	t.Parallel()
	var pace Pace
	for range 4 {
		pace.Keep(Turn{Free: true})
	}
	pace.Keep(Turn{Free: true, Delay: time.Second})
	require.True(t, pace.TooLate(0.01), "one in five")
	for range 35 {
		pace.Keep(Turn{Free: true})
	}
	require.False(t, pace.TooLate(0.01), "one in forty")
}

func TestLatencies(t *testing.T) {
	t.Parallel()
	for coarse, within := range map[bool]float64{false: 0.001, true: 0.01} {
		l := Latencies{Coarse: coarse}
		for n := range 10_000 {
			l.Took(time.Duration(n+1) * 7 * time.Microsecond)
		}
		require.InEpsilon(t, 35*time.Millisecond, l.Percentile(50), within)
		require.InEpsilon(t, 69_300*time.Microsecond, l.Percentile(99), within)
		l.Took(-time.Second)
		l.Took(time.Hour)
		require.EqualValues(t, 10_002, l.Count())
		require.InEpsilon(t, time.Minute, l.Percentile(100), within, "the longest that is kept")
	}
}

// What is counted for each request must not cost an allocation, which a generator would have to collect.
func TestCountingAllocatesNothing(t *testing.T) {
	var tally Tally
	count := func() {
		tally.Keep(Turn{Free: true, Delay: time.Millisecond})
		tally.Serve("book", time.Millisecond)
		tally.Refused.Took(time.Millisecond)
	}
	count()
	require.Zero(t, testing.AllocsPerRun(100, count))
}

func TestATurnAllocatesNothing(t *testing.T) {
	s := Plan{Length: time.Hour}.begin()
	ctx := t.Context()
	require.Zero(t, testing.AllocsPerRun(100, func() { s.take(ctx, false) }))
	open := Plan{Rate: 5000, Length: time.Hour}.begin()
	open.take(ctx, false)
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { open.take(ctx, false) }), 0.0)
}

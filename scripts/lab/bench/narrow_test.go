package bench

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/up"
)

// rounds takes rounds of a mix in which the services did so much of what the monolith did.
func (r *Report) rounds(mix string, ratios ...float64) {
	for _, ratio := range ratios {
		r.take(up.Monolith, mix, aRound(1000))
		r.take(up.Services, mix, aRound(int(1000*ratio)))
	}
}

func TestMoreRounds(t *testing.T) {
	t.Parallel()
	aRunner := func() (*runner, *Report) {
		sides := []*side{{name: up.Monolith, home: up.Monolith}, {step: 8, name: up.Services, home: up.Services}}
		return &runner{options: Quick(), sides: sides, began: time.Now()}, newReport("small", Quick(), sides)
	}
	narrow := []float64{0.50, 0.50, 0.51, 0.50, 0.50}

	t.Run("go to the mix with the widest range", func(t *testing.T) {
		t.Parallel()
		r, report := aRunner()
		report.rounds("browsing", 0.40, 0.42, 0.45, 0.42, 0.42)
		report.rounds("shopping", narrow...)
		report.rounds("ordering", 0.30, 0.25, 0.35, 0.30, 0.30)
		mix, rounds := r.widest(report)
		require.Equal(t, "ordering", mix.Name)
		require.Equal(t, 5, rounds)
	})

	t.Run("are not needed where all ranges are narrow, also beside a budget", func(t *testing.T) {
		t.Parallel()
		r, report := aRunner()
		report.rounds("browsing", 0.40, 0.40, 0.39, 0.40, 0.41)
		report.rounds("shopping", narrow...)
		report.rounds("ordering", 0.50, 0.50, 0.90, 0.50, 0.50, 0.20, 0.50, 0.50)
		_, rounds := r.widest(report)
		require.Zero(t, rounds)
	})

	t.Run("end somewhere", func(t *testing.T) {
		t.Parallel()
		r, report := aRunner()
		r.options.MostRounds = 5
		report.rounds("ordering", 0.30, 0.25, 0.35, 0.30, 0.30)
		_, rounds := r.widest(report)
		require.Zero(t, rounds)
	})

	t.Run("are played while there is time, and each mix gets its share of that", func(t *testing.T) {
		t.Parallel()
		r, _ := aRunner()
		r.longest = 5 * time.Second
		r.began = time.Now().Add(-30 * time.Second) // customers have signed in meanwhile
		require.WithinDuration(t, time.Now().Add(30*time.Second), r.shareOfTime(3), time.Second, "90 s are left for three mixes")
		require.WithinDuration(t, r.end(), r.shareOfTime(1), time.Second)
		require.False(t, r.tooLate(time.Now().Add(6*time.Second)))
		require.True(t, r.tooLate(time.Now().Add(4*time.Second)))
		r.sides = append(r.sides, &side{name: facade})
		require.Equal(t, r.began.Add(3*time.Minute), r.end(), "a third side needs time as well")
		r.options.Within = 0
		require.False(t, r.tooLate(time.Now()), "without a limit")
	})

	t.Run("change the order of the sides, so that what drifts hits all of them", func(t *testing.T) {
		t.Parallel()
		r, _ := aRunner()
		place := map[string]int{}
		for number := 1; number <= 6; number++ {
			for i, s := range r.turns(number) {
				place[s.name] += i
			}
		}
		require.Equal(t, place[up.Monolith], place[up.Services])
		require.Equal(t, up.Monolith, r.turns(1)[0].name)
		require.Equal(t, up.Services, r.turns(2)[0].name)
	})
}

func TestQuickHasTimeForItsRounds(t *testing.T) {
	t.Parallel()
	o := Quick()
	const rest = time.Second // after a round, at most, on a quiet machine
	perMix := 2*(o.warmUp()+rest) + time.Duration(o.Rounds)*2*(o.Length+rest) + o.openLoop(2)
	require.Less(t, 3*perMix, o.Within-5*time.Second, "and some seconds to sign customers in")
}

func TestTransactionsOfMoreRounds(t *testing.T) {
	t.Parallel()
	r := aReport() // 3,600 requests to the monolith, 1,800 to the services
	r.noteTransactions("browsing", map[string]int64{up.Monolith: 100, up.Services: 0}, map[string]int64{up.Monolith: 3700, up.Services: 1800})
	require.InDelta(t, 1, r.result(up.Monolith, "browsing").Transactions, 1e-9)
	r.rounds("browsing", 1)
	r.noteTransactions("browsing", map[string]int64{up.Monolith: 9000, up.Services: 2000}, map[string]int64{up.Monolith: 10_000, up.Services: 3000})
	require.InDelta(t, 1, r.result(up.Monolith, "browsing").Transactions, 1e-9, "4,600 of 4,600")
	require.InDelta(t, 1, r.result(up.Services, "browsing").Transactions, 1e-9, "2,800 of 2,800")
}

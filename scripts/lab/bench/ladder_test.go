package bench

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/bench/lines"
	"banyan/scripts/lab/up"
	"banyan/scripts/lab/workload"
)

func TestStepsInLabsOfTheirOwn(t *testing.T) {
	t.Parallel()
	states := func(steps ...int) (states []*up.State) {
		for _, step := range steps {
			states = append(states, &up.State{Step: step, GatewayURL: "http://g", SeedSize: "small", StartUp: 1.25})
		}
		return states
	}

	t.Run("are needed by the steps that one lab does not have side by side", func(t *testing.T) {
		t.Parallel()
		require.False(t, NeedsLabs(nil))
		require.False(t, NeedsLabs([]int{0, 1, 8}))
		require.True(t, NeedsLabs([]int{0, 5}))
	})

	t.Run("come in the ladder's order, each in its lab and with its data", func(t *testing.T) {
		t.Parallel()
		sides, err := sidesAlone(states(8, 0, 5))
		require.NoError(t, err)
		r := &runner{sides: sides}
		require.Equal(t, []string{"step 0", "step 5", "step 8"}, homes(sides))
		require.Len(t, r.labs(), 3)
		for i, l := range r.labs() {
			require.Equal(t, []*side{sides[i]}, r.sidesIn(l))
			require.Equal(t, sides[i].step, l.state.Step)
		}
		require.Equal(t, up.Services, databaseOf("step 0"), "the trunk works in the services' database")
	})

	t.Run("have all that runs in their lab work for them", func(t *testing.T) {
		t.Parallel()
		for _, process := range []string{up.Trunk, "gateway", "nats", "postgres monolith_app", "postgres catalog_app", postgresName, outsideName} {
			require.True(t, worksFor(process, aloneName(5)), process)
		}
	})

	t.Run("are one each", func(t *testing.T) {
		t.Parallel()
		_, err := sidesAlone(states(5, 5))
		require.ErrorContains(t, err, "two labs are at step 5")
		_, err = sidesAlone(nil)
		require.ErrorContains(t, err, "no lab to measure")
		_, err = sidesAlone([]*up.State{{Step: 3}})
		require.ErrorContains(t, err, "no step to measure")
	})

	t.Run("have to hold what the first one holds", func(t *testing.T) {
		t.Parallel()
		same := map[string]AreaData{"books": {1, "7"}, "stock": {1, "7"}, "accounts": {1, "7"}, "orders": {1, "7"}}
		other := map[string]AreaData{"books": {2, "7"}, "stock": {1, "8"}, "accounts": {1, "7"}, "orders": {1, "7"}}
		require.Empty(t, differences(map[string]map[string]AreaData{"step 0": same, "step 3": same, "step 8": same}))
		require.Equal(t, []string{"step 0 has 1 books and step 8 has 2", "the stock of step 8 differ from those of step 0"},
			differences(map[string]map[string]AreaData{"step 0": same, "step 3": same, "step 8": other}))
	})
}

// aLadder is a report over steps, each half as fast as the one before.
func aLadder(t *testing.T, steps ...int) *Report {
	t.Helper()
	var states []*up.State
	for _, step := range steps {
		states = append(states, &up.State{Step: step, GatewayURL: "http://g", SeedSize: "small", StartUp: 1.25})
	}
	sides, err := sidesAlone(states)
	require.NoError(t, err)
	o := Quick()
	o.Open = nil
	r := newReport("small", o, sides)
	for i, s := range sides {
		for _, mix := range workload.Mixes {
			for range fewestRounds {
				r.take(s.name, mix.Name, aRound(400>>i))
			}
		}
		r.Sides[s.name].MemoryIdle = map[string]int64{"trunk": 30 << 20, postgresName: 900 << 20, outsideName: 5 << 20}
		r.Sides[s.name].Memory = map[string]int64{"trunk": 40 << 20, "nats": 10 << 20, postgresName: 900 << 20}
	}
	r.compare()
	for _, s := range sides {
		rung := r.rung(s)
		rung.Go, rung.SQL = lines.Change{Added: 100 * s.step, Removed: s.step}, lines.Change{Added: s.step}
		r.Ladder = append(r.Ladder, rung)
	}
	return r
}

func TestLadderReport(t *testing.T) {
	t.Parallel()
	r := aLadder(t, 0, 1, 5)

	t.Run("draws all nine steps", func(t *testing.T) {
		t.Parallel()
		nine := aLadder(t, 0, 1, 2, 3, 4, 5, 6, 7, 8)
		require.Len(t, nine.curvePicture().Labels, 9)
		for _, p := range nine.pictures() {
			_, err := p.svg()
			require.NoError(t, err, p.file)
		}
	})

	t.Run("has a rung for each step", func(t *testing.T) {
		t.Parallel()
		require.Len(t, r.Ladder, 3)
		require.Equal(t, "inventory", r.Ladder[2].Name)
		require.Equal(t, up.Ladder[5].Teaches, r.Ladder[2].Teaches)
		require.Equal(t, len(up.Ladder[5].Processes()), r.Ladder[2].Processes)
		require.EqualValues(t, 50<<20, r.Ladder[0].Memory, "the shop's processes and the broker")
		require.EqualValues(t, 30<<20, r.Ladder[0].MemoryIdle)
		require.Equal(t, 1.25, r.Ladder[0].StartUp)
	})

	t.Run("shows the curve as a table, with ratios to the first step", func(t *testing.T) {
		t.Parallel()
		var text strings.Builder
		require.NoError(t, r.WriteTable(&text))
		for _, part := range []string{"0 monolith", "1 facade", "5 inventory", "0.25 (0.25–0.25)", "1.25", "+500 −5"} {
			require.Contains(t, text.String(), part)
		}
	})

	t.Run("is a page with the curve, and what each step bought", func(t *testing.T) {
		t.Parallel()
		drawn := map[string]bool{}
		for _, p := range r.pictures() {
			_, err := p.svg()
			require.NoError(t, err, p.file)
			drawn[p.file] = true
		}
		require.True(t, drawn["curve.svg"])
		page := r.Markdown("ladder", drawn, "")
		require.Contains(t, page, "(curve.svg)")
		require.Contains(t, page, "strangler fig façade")
		require.Contains(t, page, "What each step bought")
	})
}

func TestRungsCountByCheckout(t *testing.T) {
	t.Parallel()
	r := aLadder(t, 0, 5)
	sides, err := sidesAlone([]*up.State{{Step: 5, GatewayURL: "http://g"}})
	require.NoError(t, err)
	require.Zero(t, r.rung(sides[0]).Hops, "no checkout was made")
	t5 := r.result("step 5", workload.BuyConfirm.String())
	t5.Requests, t5.Statements, t5.HopsTotal = 20, 8, 3
	t5.Interactions = map[string]InteractionResult{workload.BuyConfirm.String(): {Count: 10}}
	require.Equal(t, 16.0, r.rung(sides[0]).Statements, "two requests each")
	require.Equal(t, 6.0, r.rung(sides[0]).Hops)
}

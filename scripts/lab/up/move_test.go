package up

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/seed"
)

func TestChoose(t *testing.T) {
	t.Parallel()
	noted, switched := []move{{"payments", Monolith, "noted"}}, []move{{"inventory", "inventory", "cut over"}}
	first := []move{{"notifications", Monolith, "copied"}}
	cases := map[string]struct {
		at     standing
		wanted *int
		step   int
		climbs bool
		says   []string
	}{
		"no data begin at the end":                         {at: standing{empty: true}, step: LastStep},
		"no data climb to a step between":                  {at: standing{empty: true}, wanted: new(4), step: 4, climbs: true},
		"data stay where they are":                         {at: standing{step: 3}, step: 3},
		"data climb":                                       {at: standing{step: 3}, wanted: new(5), step: 5, climbs: true},
		"the data of steps 0 and 1 are the same":           {at: standing{step: 1}, wanted: new(0), step: 0},
		"a climb that was broken off goes on":              {at: standing{step: 3, climbs: 5, moves: []move{{"catalog", Monolith, "noted"}}}, step: 5, climbs: true},
		"a climb that was broken off may end lower":        {at: standing{step: 3, climbs: 5, moves: []move{{"catalog", Monolith, "noted"}}}, wanted: new(3), step: 3},
		"a climb that was broken off may go higher":        {at: standing{step: 3, climbs: 5, moves: []move{{"catalog", Monolith, "noted"}}}, wanted: new(6), step: 6, climbs: true},
		"a climb lacks nothing but its last finalize":      {at: standing{step: 5, climbs: 5, moves: switched}, step: 5, climbs: true},
		"an area is on its way":                            {at: standing{step: 5, moves: noted}, step: 5},
		"the step of an area on its way is named":          {at: standing{step: 5, moves: noted}, wanted: new(5), step: 5},
		"nothing goes down":                                {at: standing{step: 3}, wanted: new(2), says: []string{"--fresh", "--dir", "and here is none"}},
		"nothing goes down below an area on its way":       {at: standing{step: 5, moves: noted}, wanted: new(3), says: []string{"and here is none"}},
		"what is not finalized goes down by a rollback":    {at: standing{step: 5, moves: switched}, wanted: new(4), says: []string{"Only inventory can come back, to step 4", "`lab rollback inventory`"}},
		"no climb hands over what is on its way":           {at: standing{step: 5, moves: noted}, wanted: new(6), says: []string{"`lab extract payments`", "`lab cancel payments`"}},
		"no climb removes the way back":                    {at: standing{step: 5, moves: switched}, wanted: new(6), says: []string{"`lab finalize inventory`", "`lab rollback inventory`"}},
		"step 0 can't go on with what is on its way":       {at: standing{step: 1, moves: first}, wanted: new(0), says: []string{"step 0 has no gateway", "`lab extract notifications`"}},
		"no climb takes the first area that is on its way": {at: standing{step: 1, moves: first}, wanted: new(2), says: []string{"`lab extract notifications`"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			step, climbs, err := c.at.choose(c.wanted)
			if c.says != nil {
				for _, text := range c.says {
					require.ErrorContains(t, err, text)
				}
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.step, step.Number)
			require.Equal(t, c.climbs, climbs)
		})
	}
}

func TestSeedMark(t *testing.T) {
	t.Parallel()
	require.Equal(t, "banyan seed: small", seedMark{size: seed.Small, low: LastStep}.String())
	require.Equal(t, "banyan seed: small, step 1", seedMark{size: seed.Small, low: 1}.String())
	require.Equal(t, "banyan seed: small, step 1, climbs to 5", seedMark{size: seed.Small, low: 1, climbs: 5}.String())
	for _, m := range []seedMark{{size: seed.Small, low: LastStep}, {size: seed.Large, low: 0}, {size: seed.Small, low: 1, climbs: 5}} {
		read, err := parseMark("services", m.String())
		require.NoError(t, err)
		require.Equal(t, m, read)
	}
	_, err := parseMark("services", "banyan seed: small, step 1, climbs to 9")
	require.ErrorContains(t, err, `climbs to step "9"`)
}

func TestParts(t *testing.T) {
	t.Parallel()
	all := example(t, LastStep).addresses
	all[Trunk] = portsOf(Trunk)
	parts := func(step int, moves ...move) map[string]part {
		s := example(t, step)
		s.addresses = all
		return (&Lab{settings: s}).parts(plan{Ladder[step], moves})
	}
	at := func(step int) part { return part{step: Ladder[step]} }
	require.Equal(t, map[string]part{Trunk: at(1), "gateway": at(1)}, parts(1))
	require.Equal(t, map[string]part{
		Trunk: at(1), "gateway": at(1), "notifications": {step: Ladder[2], standby: true},
	}, parts(1, move{"notifications", Monolith, "copied"}))
	require.Equal(t, map[string]part{
		Trunk: at(2), "gateway": at(2), "notifications": at(2),
	}, parts(2, move{"notifications", "notifications", "cut over"}))
	require.NotContains(t, parts(LastStep, move{"orders", "orders", "cut over"}), Trunk)
}

// TestConnectionsOfMoves counts what may be connected at once: the whole monolith, its second instance behind a façade, the
// step, the service that stands by, and the next trunk that is tried.
func TestConnectionsOfMoves(t *testing.T) {
	t.Parallel()
	most, err := strconv.Atoi(postgresSettings["max_connections"])
	require.NoError(t, err)
	const forTools, reserved, monolith = 20, 3, 16 // the reserved ones are PostgreSQL's
	for _, step := range Ladder[stepGateway:LastStep] {
		next := Ladder[step.Number+1]
		sum := 2*monolith + forTools + reserved + next.Connections(next.Area) + next.Connections(Trunk)
		for _, process := range step.Processes() {
			sum += step.Connections(process)
		}
		require.Positive(t, next.Connections(next.Area), "step %d", next.Number)
		require.Less(t, sum, most, "step %d", step.Number)
	}
}

func TestHeldPort(t *testing.T) {
	t.Parallel()
	r, err := reserve(t.Context(), []string{"accounts"}, 0, true)
	require.NoError(t, err)
	defer r.releaseAll()
	client := http.Client{Timeout: 10 * time.Second}
	began := time.Now()
	_, err = client.Get(r.addresses["accounts"].url())
	require.Error(t, err, "a process that is not there refuses, and lets nobody wait")
	require.Less(t, time.Since(began), 5*time.Second)
}

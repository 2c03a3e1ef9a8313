package bench

import (
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/up"
)

func TestSidesOf(t *testing.T) {
	t.Parallel()
	state := &up.State{MonolithURL: "http://m", GatewayURL: "http://g"}
	names := func(sides []*side) (names []string) {
		for _, s := range sides {
			names = append(names, s.name)
		}
		return names
	}

	t.Run("are those that run, unless steps are named", func(t *testing.T) {
		t.Parallel()
		sides, err := sidesOf(state, nil)
		require.NoError(t, err)
		require.Equal(t, []string{up.Monolith, up.Services}, names(sides))
		sides, err = sidesOf(state, []int{8, 8})
		require.NoError(t, err)
		require.Equal(t, []string{up.Services}, names(sides))
	})

	t.Run("come in the ladder's order, the façade on the monolith's data", func(t *testing.T) {
		t.Parallel()
		with := *state
		with.FacadeURL = "http://f"
		sides, err := sidesOf(&with, []int{8, 1, 0})
		require.NoError(t, err)
		require.Equal(t, []string{up.Monolith, facade, up.Services}, names(sides))
		require.Equal(t, []string{up.Monolith, up.Services}, homes(sides))
		require.Equal(t, "http://f", sides[1].url)
	})

	t.Run("that do not run are missed", func(t *testing.T) {
		t.Parallel()
		_, err := sidesOf(state, []int{0, 1})
		require.ErrorContains(t, err, "does not have step 1 (facade)")
		_, err = sidesOf(state, []int{0, 4})
		require.ErrorContains(t, err, "does not have step 4")
		_, err = sidesOf(state, []int{0, 9})
		require.ErrorContains(t, err, "there is no step 9")
		_, err = sidesOf(&up.State{}, nil)
		require.ErrorContains(t, err, "no side to measure")
	})
}

func TestWorksFor(t *testing.T) {
	t.Parallel()
	for process, sides := range map[string][3]bool{ // monolith, façade, services
		up.Monolith:             {true, false, false},
		behindFacade:            {false, true, false},
		"postgres monolith_app": {true, true, false},
		facade:                  {false, true, false},
		"gateway":               {false, false, true},
		"orders-2":              {false, false, true},
		"postgres orders_app":   {false, false, true},
		"nats":                  {false, false, true},
		outsideName:             {true, true, true},
		background:              {true, true, true},
	} {
		for i, side := range []string{up.Monolith, facade, up.Services} {
			require.Equal(t, sides[i], worksFor(process, side), "%s for %s", process, side)
		}
	}
}

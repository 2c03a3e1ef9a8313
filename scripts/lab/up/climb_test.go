package up

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/internal/postgres"
	"banyan/scripts/lab/ladder"
)

// TestSteps goes up the ladder with one folder, as a reader does.
func TestSteps(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	t.Cleanup(func() { require.NoError(t, Wipe(dir)) })
	visit := func(step *int, look func(*Lab)) error {
		lab, err := Start(t.Context(), Options{Only: Services, Step: step, Dir: dir, RandomPorts: true})
		if err != nil {
			return err
		}
		look(lab)
		return lab.Stop(context.WithoutCancel(t.Context()))
	}
	at := func(wanted int, schemas ...string) func(*Lab) {
		return func(lab *Lab) {
			state := lab.State()
			require.Equal(t, wanted, state.Step)
			require.Equal(t, schemas, state.Schemas())
			response, err := http.Get(state.GatewayURL + "/v1/books?limit=1")
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			require.Equal(t, http.StatusOK, response.StatusCode)
		}
	}

	require.NoError(t, visit(new(1), at(1, Trunk)))
	require.NoError(t, visit(nil, at(1, Trunk)), "it goes on where the data stand")
	require.NoError(t, visit(new(0), at(0, Trunk)), "the data of the two lowest steps are the same")
	require.NoError(t, visit(new(3), func(lab *Lab) {
		at(3, "accounts", Trunk, "notifications")(lab)
		location, err := lab.state.AppURL(Trunk)
		require.NoError(t, err)
		conn, err := postgres.Connect(t.Context(), location)
		require.NoError(t, err)
		defer conn.Close(t.Context())
		_, err = conn.Exec(t.Context(), `insert into monolith.orders default values`)
		require.ErrorContains(t, err, "null value", "the trunk may write its orders")

		// As a climb to step 4 leaves it that is killed.
		copier, err := ladder.Open(t.Context(), lab.DatabaseURL(Services), "catalog")
		require.NoError(t, err)
		require.NoError(t, copier.Note(t.Context()))
		require.NoError(t, copier.Close(t.Context()))
		require.NoError(t, lab.noteClimb(t.Context(), 4))
	}))

	err := visit(new(2), func(*Lab) { require.Fail(t, "it went down") })
	var down *StepError
	require.ErrorAs(t, err, &down)
	require.Equal(t, StepError{Stands: 3, Wanted: 2}, *down)
	for _, way := range []string{"--fresh", "--dir", "rollback"} {
		require.ErrorContains(t, err, way)
	}

	require.NoError(t, visit(new(4), func(lab *Lab) {
		at(4, "accounts", "catalog", Trunk, "notifications")(lab)
		conn, err := postgres.Connect(t.Context(), lab.DatabaseURL(Services))
		require.NoError(t, err)
		defer conn.Close(t.Context())
		m, err := readMark(t.Context(), conn, Services)
		require.NoError(t, err)
		require.Equal(t, "banyan seed: small, step 0", m.String(), "the climb is over")
	}), "a climb that was broken off is no live move: it goes on")

	lab, err := Start(t.Context(), Options{Only: Services, Dir: dir, RandomPorts: true, Without: "orders"})
	require.Nil(t, lab)
	require.ErrorContains(t, err, "it is one of outside, accounts, catalog, trunk, notifications, gateway")
}

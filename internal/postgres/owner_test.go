package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/internal/postgres"
)

func TestCheckOwner(t *testing.T) {
	t.Parallel()
	db, pool := garden(t)
	_, err := db.Superuser().Exec(t.Context(), `
		create table trunk.mine (id int, name text);
		create table trunk.theirs (id int, name text);
		grant insert on trunk.mine to trunk_app;
		revoke all on trunk.theirs from trunk_app;
		grant select, insert (id) on trunk.theirs to trunk_app`)
	require.NoError(t, err)
	require.NoError(t, postgres.CheckOwner(t.Context(), pool, "mine"))
	require.ErrorIs(t, postgres.CheckOwner(t.Context(), pool, "theirs"), postgres.ErrNotOwner, "a column is not the table")
	require.ErrorIs(t, postgres.CheckOwner(t.Context(), pool, "gone"), postgres.ErrNotOwner)

	require.NoError(t, postgres.CheckHandedOver(t.Context(), pool, "garden", "mine"))
	err = postgres.CheckHandedOver(t.Context(), pool, "garden", "theirs")
	require.ErrorIs(t, err, postgres.ErrNotOwner)
	require.ErrorContains(t, err, "the area garden is still (or again) the monolith's: start the service with STANDBY=true")
	pool.Close()
	require.NotErrorIs(t, postgres.CheckHandedOver(t.Context(), pool, "garden", "mine"), postgres.ErrNotOwner)
	require.Error(t, postgres.CheckHandedOver(t.Context(), pool, "garden", "mine"))
}

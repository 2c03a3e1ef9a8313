package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/internal/postgres"
)

func TestPulse(t *testing.T) {
	t.Parallel()

	t.Run("is felt while everybody else waits for a connection of the pool", func(t *testing.T) {
		t.Parallel()
		_, pool := garden(t)
		pulse := postgres.NewPulse(pool)
		defer pulse.Close()
		for range pool.Config().MaxConns {
			held, err := pool.Acquire(t.Context())
			require.NoError(t, err)
			defer held.Release()
		}
		require.Error(t, pool.Ping(within(t, 100*time.Millisecond)), "the pool has none left")
		for range 3 {
			require.NoError(t, pulse.Check(within(t, 10*time.Second)))
		}
	})
	t.Run("keeps one connection, and makes a new one when the server has ended it", func(t *testing.T) {
		t.Parallel()
		_, pool := garden(t)
		pulse := postgres.NewPulse(pool)
		defer pulse.Close()
		one, err := pool.Acquire(t.Context()) // its last statement, below, is not a ping
		require.NoError(t, err)
		defer one.Release()
		const mine = ` from pg_stat_activity
			where datname = current_database() and usename = current_user and query like '%ping%' and pid <> pg_backend_pid()`
		for range 3 {
			require.NoError(t, pulse.Check(t.Context()))
		}
		require.Equal(t, 1, count(t, one, `select count(*)`+mine))
		_, err = one.Exec(t.Context(), `select pg_terminate_backend(pid)`+mine)
		require.NoError(t, err)
		soon(t, func() bool { return count(t, one, `select count(*)`+mine) == 0 }, "the connection is gone")
		require.NoError(t, pulse.Check(t.Context()))
	})
	t.Run("is not felt when nobody answers", func(t *testing.T) {
		t.Parallel()
		_, pool := garden(t)
		pulse := postgres.NewPulse(pool)
		defer pulse.Close()
		ended, end := context.WithCancel(t.Context())
		end()
		require.ErrorIs(t, pulse.Check(ended), context.Canceled)
		require.NoError(t, pulse.Check(t.Context()))
	})
}

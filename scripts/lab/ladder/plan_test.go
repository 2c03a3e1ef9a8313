package ladder

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"banyan/internal/postgres"
)

// A plan counts what would move and changes nothing, on data that nothing has moved yet.
func TestPlan(t *testing.T) {
	t.Parallel()
	url := openShop(t)
	conn := connect(t, url)
	defer conn.Close(t.Context())
	before := everything(t, url)
	for _, area := range Areas {
		p, err := Plan(t.Context(), url, area.Name)
		require.NoError(t, err)
		require.Equal(t, Monolith, p.Owner)
		require.Empty(t, p.Stage)
		var tables []string
		for _, s := range p.Tables {
			tables = append(tables, s.Table)
			require.Positive(t, s.Rows, s.Table)
			require.Greater(t, s.Bytes, s.Rows, s.Table)
		}
		var want []string
		for _, name := range area.wayForth().all() {
			want = append(want, area.wayForth().target(name))
		}
		require.Equal(t, want, tables)
		require.Equal(t, "changes.sql", p.Files[0].Name)
		require.Equal(t, area.folder()+"/standby.sql", p.Files[1].Name)
		require.Contains(t, p.Files[1].SQL, "revoke")
		if area.Step > 2 {
			require.Len(t, p.Findings, 1)
			require.Contains(t, p.Findings[0].What, "notifications leaves before "+area.Name)
		} else {
			require.Empty(t, p.Findings)
		}
	}
	require.Equal(t, before, everything(t, url))
	_, err := Plan(t.Context(), url, "gateway")
	require.ErrorContains(t, err, "gateway")
}

// A plan finds what would be in the way.
func TestPlanFinds(t *testing.T) {
	t.Parallel()
	url := openShop(t)
	require.NoError(t, Climb(t.Context(), url, 2, quiet))
	conn := connect(t, url)
	defer conn.Close(t.Context())
	run(t, conn, `drop table accounts.sessions`)
	run(t, conn, `begin; update monolith.accounts set name = 'x'; select pg_sleep(1.1)`)
	p, err := Plan(t.Context(), url, "accounts")
	require.NoError(t, err)
	require.Len(t, p.Findings, 2)
	require.Equal(t, Finding{"there is no table accounts.sessions", "Migrate schema accounts.", true}, p.Findings[0])
	require.Contains(t, p.Findings[1].What, "writes monolith.accounts since 1 s")
	run(t, conn, `rollback`)
	p, err = Plan(t.Context(), url, "notifications")
	require.NoError(t, err)
	require.Equal(t, StageFinalized, p.Stage)
	require.Empty(t, p.Tables)
	require.NotEqual(t, "changes.sql", p.Files[0].Name)
	run(t, conn, `update extract.areas set checksum = 'older'`)
	p, err = Plan(t.Context(), url, "notifications")
	require.NoError(t, err)
	require.Len(t, p.Findings, 1)
	require.Contains(t, p.Findings[0].What, "has changed")
}

// What only reads can't write.
func TestReadingCannotWrite(t *testing.T) {
	t.Parallel()
	err := reading(t.Context(), openShop(t), func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), `delete from monolith.notifications`)
		return err
	})
	require.ErrorContains(t, err, "read-only transaction")
	require.False(t, postgres.Retryable(err))
}

// Status tells where each area stands, and whether a copier is at work on it.
func TestStatus(t *testing.T) {
	t.Parallel()
	url := openShop(t)
	status := func(n int) AreaStatus {
		all, err := Status(t.Context(), url)
		require.NoError(t, err)
		require.Len(t, all, len(Areas))
		return all[n]
	}
	require.Equal(t, AreaStatus{Area: "accounts", Step: 3, Owner: Monolith, Roots: []Progress{}}, status(1))
	require.NoError(t, Climb(t.Context(), url, 2, quiet))
	conn := connect(t, url)
	defer conn.Close(t.Context())
	c, err := Open(t.Context(), url, "accounts")
	require.NoError(t, err)
	require.NoError(t, c.Note(t.Context()))
	ranges := 0
	require.NoError(t, c.Backfill(t.Context(), 2, func(p Progress) error {
		if ranges++; ranges == 2 {
			run(t, conn, `update monolith.accounts set name = 'x'`)
			s := status(1)
			require.Equal(t, StageNoted, s.Stage)
			require.True(t, s.AtWork)
			require.Equal(t, 6, s.Lag)
			require.Equal(t, []Progress{{Area: "accounts", Root: "account", Copied: 4, Total: 6}}, s.Roots)
		}
		return nil
	}))
	require.NoError(t, c.CutOver(t.Context(), time.Minute))
	run(t, conn, `delete from accounts.sessions`)
	require.NoError(t, c.Close(t.Context()))
	s := status(1)
	require.Equal(t, "accounts", s.Owner)
	require.Equal(t, StageCutOver, s.Stage)
	require.Equal(t, 4, s.Lag)
	require.WithinDuration(t, time.Now(), *s.Since, time.Minute)
	require.False(t, s.Changed)
	require.Len(t, s.Roots, 2)
	require.True(t, s.Roots[1].Done)
	require.Eventually(t, func() bool { return !status(1).AtWork }, 5*time.Second, 10*time.Millisecond)
	run(t, conn, `update extract.areas set checksum = 'older'`)
	require.True(t, status(1).Changed)
	require.Equal(t, StageFinalized, status(0).Stage)
}

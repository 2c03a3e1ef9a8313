package ladder

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// waiting returns when a session of the database waits for a lock.
func waiting(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	require.Eventually(t, func() bool {
		return ask(t, conn, `
			select (count(*) > 0)::text
			from pg_stat_activity
			where datname = current_database() and wait_event_type = 'Lock'`)[0] == "true"
	}, 20*time.Second, 5*time.Millisecond)
}

// A second copier could write an older row over a newer one, so it stays out.
func TestOneCopier(t *testing.T) {
	t.Parallel()
	url := openShop(t)
	first, err := Open(t.Context(), url, "accounts")
	require.NoError(t, err)
	_, err = TryOpen(t.Context(), url, "accounts")
	require.ErrorIs(t, err, ErrBusy)
	require.ErrorContains(t, err, "another lab extract of accounts is at work")
	other, err := TryOpen(t.Context(), url, "catalog")
	require.NoError(t, err)
	require.NoError(t, other.Close(t.Context()))

	opened := make(chan error, 1)
	go func() {
		second, err := Open(context.WithoutCancel(t.Context()), url, "accounts")
		if err == nil {
			err = second.Close(context.WithoutCancel(t.Context()))
		}
		opened <- err
	}()
	conn := connect(t, url)
	defer conn.Close(t.Context())
	waiting(t, conn)
	require.Empty(t, opened)
	require.NoError(t, first.Close(t.Context()))
	require.NoError(t, <-opened)
}

// A row that is deleted while its range is copied is not resurrected: the range sees it,
// and the deletion commits afterwards.
func TestBackfillResurrectsNothing(t *testing.T) {
	t.Parallel()
	url := openShop(t)
	require.NoError(t, Climb(t.Context(), url, 2, quiet))
	c, err := Open(t.Context(), url, "accounts")
	require.NoError(t, err)
	defer c.Close(t.Context())
	require.NoError(t, c.Note(t.Context()))
	writer := connect(t, url)
	defer writer.Close(t.Context())
	run(t, writer, `begin; delete from monolith.sessions where token_hash = (select token_hash from monolith.sessions order by 1 limit 1)`)
	committed := false
	require.NoError(t, c.Backfill(t.Context(), 2, func(p Progress) error {
		if p.Root == "session" && !committed {
			committed = true
			require.Equal(t, []string{"2"}, ask(t, writer, `select count(*)::text from accounts.sessions`), "the range saw the row")
			run(t, writer, `commit`)
		}
		return nil
	}))
	require.True(t, committed)
	require.Equal(t, []string{"3"}, ask(t, writer, `select count(*)::text from accounts.sessions`))
	run(t, writer, `delete from monolith.sessions`)
	_, err = c.CatchUp(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"0"}, ask(t, writer, `select count(*)::text from accounts.sessions`))
}

// The switch takes what was noted since the last round, in both directions, also if it is
// more than a round takes.
func TestSwitchTakesTheLastKeys(t *testing.T) {
	t.Parallel()
	url := openShop(t)
	require.NoError(t, Climb(t.Context(), url, 2, quiet))
	conn := connect(t, url)
	defer conn.Close(t.Context())
	c, err := Open(t.Context(), url, "accounts")
	require.NoError(t, err)
	defer c.Close(t.Context())
	fill(t, c)
	run(t, conn, fmt.Sprintf(`
		insert into monolith.sessions
		select sha256(n::text::bytea), (select id from monolith.accounts order by id limit 1), now(), now() from generate_series(100, %d) n`, 100+roundSize))
	_, err = c.CatchUp(t.Context())
	require.NoError(t, err)
	run(t, conn, `delete from monolith.sessions; update monolith.accounts set name = 'Grace'`)
	require.NoError(t, c.CutOver(t.Context(), time.Minute))
	require.Equal(t, []string{"Grace 0"}, ask(t, conn, `select distinct concat_ws(' ', name, (select count(*) from accounts.sessions)) from accounts.accounts`))
	run(t, conn, `update accounts.accounts set name = 'Hopper'`)
	require.NoError(t, c.Rollback(t.Context(), time.Minute))
	require.Equal(t, []string{"Hopper"}, ask(t, conn, `select distinct name from monolith.accounts`))
}

// The switch waits for a transaction that a killed process has left behind, in both
// directions: without its locks it would take the last keys before that one commits.
func TestSwitchWaitsForTheLastWriter(t *testing.T) {
	t.Parallel()
	conn, writer, c := withWriter(t)
	for _, way := range []struct {
		from, to string
		turn     func(context.Context, time.Duration) error
	}{
		{"monolith", "accounts", c.CutOver}, {"accounts", "monolith", c.Rollback}, {"monolith", "accounts", c.CutOver},
	} {
		name := "from " + way.from + " at " + time.Now().String()
		run(t, writer, `begin; update `+way.from+`.accounts set name = '`+name+`'`)
		turned := make(chan error, 1)
		go func() { turned <- way.turn(t.Context(), time.Minute) }()
		waiting(t, conn)
		run(t, writer, `commit`)
		require.NoError(t, <-turned)
		require.Equal(t, []string{name}, ask(t, conn, `select distinct name from `+way.to+`.accounts`))
	}
}

// A writer that does not end leaves everything as it was when the time is over.
func TestSwitchGivesUp(t *testing.T) {
	t.Parallel()
	url := openShop(t)
	require.NoError(t, Climb(t.Context(), url, 2, quiet))
	writer := connect(t, url)
	defer writer.Close(t.Context())
	c, err := Open(t.Context(), url, "accounts")
	require.NoError(t, err)
	defer c.Close(t.Context())
	fill(t, c)
	run(t, writer, `begin; update monolith.accounts set name = 'x'`)
	require.Error(t, c.CutOver(t.Context(), 300*time.Millisecond))
	run(t, writer, `rollback`)
	require.NoError(t, c.Close(t.Context()))
	c, err = Open(t.Context(), url, "accounts")
	require.NoError(t, err)
	defer c.Close(t.Context())
	require.Equal(t, []string{"monolith copied"}, ask(t, writer, `select concat_ws(' ', owner, stage) from extract.areas where area = 'accounts'`))
	require.NoError(t, c.CutOver(t.Context(), time.Minute))
}

// The locks of a switch hold every table that is noted, on the side that owns the area, and
// every table that is written.
func TestLocksHoldEverything(t *testing.T) {
	t.Parallel()
	for _, area := range Areas {
		t.Run(area.Name, func(t *testing.T) {
			t.Parallel()
			c, _, _ := cutOverAt(t, area.Name)
			held(t, c, area.wayBack())
			require.NoError(t, c.Rollback(t.Context(), time.Minute))
			held(t, c, area.wayForth())
		})
	}
}

func held(t *testing.T, c *Copier, w way) {
	t.Helper()
	tx, err := c.conn.Begin(t.Context())
	require.NoError(t, err)
	defer tx.Rollback(t.Context())
	require.NoError(t, c.run(t.Context(), tx, "lock"))
	var more []string
	for _, s := range w.settled {
		more = append(more, w.target(s.name), w.from+"."+s.name)
	}
	for _, r := range w.roots {
		for _, table := range r.tables {
			if !table.derived {
				more = append(more, w.target(table.name))
			}
		}
	}
	rows, err := tx.Query(t.Context(), `
		select needed::text
		from (
		  select tgrelid::regclass from pg_trigger where starts_with(tgname, $1)
		  union
		  select to_regclass(t) from unnest($2::text[]) t
		) n (needed)
		where not exists (
		  select from pg_locks
		  where pid = pg_backend_pid() and relation = needed and mode = 'ShareRowExclusiveLock')`, w.notes, more)
	require.NoError(t, err)
	unlocked, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.Empty(t, unlocked)
}

// withWriter has accounts on its way, with a connection to ask by, one that writes, and its copier.
func withWriter(t *testing.T) (conn, writer *pgx.Conn, c *Copier) {
	t.Helper()
	url := openShop(t)
	require.NoError(t, Climb(t.Context(), url, 2, quiet))
	conn, writer = connect(t, url), connect(t, url)
	c, err := Open(t.Context(), url, "accounts")
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		_ = c.Close(ctx)
		_ = writer.Close(ctx)
		_ = conn.Close(ctx)
	})
	fill(t, c)
	return conn, writer, c
}

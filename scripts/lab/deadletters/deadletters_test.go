package deadletters_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"banyan/internal/testdb"
	"banyan/migrations"
	"banyan/scripts/lab/deadletters"
)

func TestDeadLetters(t *testing.T) {
	t.Parallel()
	pool := service(t)
	ctx := t.Context()
	first, second, handled := uuid.New(), uuid.New(), uuid.New()
	for i, id := range []uuid.UUID{first, second, handled} {
		_, err := pool.Exec(ctx, `
			insert into dead_letters (consumer, event_id, type, subject, headers, body, error, died_at)
			values ('catalog', $1, 'note.taken', 'events.desk.note.taken', '{"ce-type": ["note.taken"]}', '{}',
			  E'no\nsuch thing', timestamptz '2026-01-02 03:04:05+00' + $2 * interval '1 minute')`, id, i)
		require.NoError(t, err)
		_, err = pool.Exec(ctx, `insert into inbox (consumer, event_id) values ('catalog', $1)`, id)
		require.NoError(t, err)
	}
	_, err := pool.Exec(ctx, `update dead_letters set replayed_at = now() where event_id = $1`, handled)
	require.NoError(t, err)

	t.Run("those that were handled since are not listed", func(t *testing.T) {
		letters, err := deadletters.List(ctx, pool)
		require.NoError(t, err)
		require.Len(t, letters, 2)
		require.Equal(t, first, letters[0].EventID)
		require.Equal(t, second, letters[1].EventID)
	})
	t.Run("one line each, whatever the error", func(t *testing.T) {
		letters, err := deadletters.List(ctx, pool)
		require.NoError(t, err)
		var out strings.Builder
		require.NoError(t, deadletters.Print(&out, letters))
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		require.Len(t, lines, 3)
		require.Equal(t, []string{first.String(), "note.taken", "2026-01-02T03:04:05Z", "1", "no", "such", "thing"}, strings.Fields(lines[1]))
		out.Reset()
		require.NoError(t, deadletters.Print(&out, nil))
		require.Equal(t, "No dead letters.\n", out.String())
	})
	t.Run("a replay is asked for by id, and the inbox forgets the event", func(t *testing.T) {
		asked, err := deadletters.Replay(ctx, pool, first)
		require.NoError(t, err)
		require.Equal(t, []uuid.UUID{first}, asked)
		letters, err := deadletters.List(ctx, pool)
		require.NoError(t, err)
		require.NotNil(t, letters[0].ReplayAt)
		require.Nil(t, letters[1].ReplayAt)
		var known []uuid.UUID
		require.NoError(t, pool.QueryRow(ctx, `select array_agg(event_id) from inbox`).Scan(&known))
		require.ElementsMatch(t, []uuid.UUID{second, handled}, known)
	})
	t.Run("ids that are none are named, and hold up no others", func(t *testing.T) {
		stranger := uuid.New()
		asked, err := deadletters.Replay(ctx, pool, stranger, second, handled)
		require.ErrorContains(t, err, stranger.String())
		require.ErrorContains(t, err, handled.String())
		require.NotContains(t, err.Error(), second.String())
		require.Equal(t, []uuid.UUID{second}, asked)
	})
	t.Run("without ids, all of them", func(t *testing.T) {
		asked, err := deadletters.Replay(ctx, pool)
		require.NoError(t, err)
		require.ElementsMatch(t, []uuid.UUID{first, second}, asked)
	})
}

// service is the database of a service that has the tables of package events.
func service(t *testing.T) *pgxpool.Pool {
	t.Helper()
	only := fstest.MapFS{}
	for _, name := range []string{"bootstrap.sql", "catalog/00001_events.sql"} {
		content, err := migrations.FS.ReadFile(name)
		require.NoError(t, err)
		only[name] = &fstest.MapFile{Data: content}
	}
	return testdb.New(t, only).Pool("catalog_app")
}

package ladder

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"banyan/internal/postgres"
	"banyan/internal/testdb"
	"banyan/migrations"
	"banyan/scripts/lab/seed"
)

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := postgres.Connect(t.Context(), url)
	require.NoError(t, err)
	return conn
}

// seeded is a database in which these schemas are seeded.
func seeded(t *testing.T, data *seed.Data, schemas ...string) string {
	t.Helper()
	db := testdb.New(t, migrations.FS)
	for _, schema := range schemas {
		owner := connect(t, db.URL(schema+"_owner"))
		require.NoError(t, seed.Copy(t.Context(), owner, schema, data))
		require.NoError(t, owner.Close(t.Context()))
	}
	return db.SuperuserURL()
}

// byDefault are the columns that get the moment of the copy, by whatever makes the row.
var byDefault = []string{"claimed_until", "heard_at", "refund_after"}

// contents are the rows of a table, in an order of their own.
func contents(t *testing.T, conn *pgx.Conn, table string, without []string) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), `select (to_jsonb(r) - $1::text[])::text from `+table+` r order by 1`, without)
	require.NoError(t, err)
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return all
}

func tablesOf(t *testing.T, conn *pgx.Conn, schema string) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), `
		select format('%I.%I', schemaname, tablename)
		from pg_tables
		where schemaname = $1 and tablename not like 'goose%'
		order by 1`, schema)
	require.NoError(t, err)
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return all
}

func quiet(string) {}

// What climbs from step 0 to step 8 is what is seeded at step 8.
func TestClimbedIsSeeded(t *testing.T) {
	t.Parallel()
	data := seed.Generate(seed.Small)
	climbed := seeded(t, data, Monolith)
	services := migrations.Schemas[1:]
	want := connect(t, seeded(t, data, services...))
	defer want.Close(t.Context())

	at, err := Standing(t.Context(), climbed)
	require.NoError(t, err)
	require.Zero(t, at)
	require.NoError(t, Climb(t.Context(), climbed, 8, func(line string) { t.Log(line) }))
	at, err = Standing(t.Context(), climbed)
	require.NoError(t, err)
	require.Equal(t, 8, at)
	require.ErrorIs(t, Climb(t.Context(), climbed, 7, quiet), ErrDown)

	got := connect(t, climbed)
	defer got.Close(t.Context())
	filled := 0
	for _, schema := range services {
		for _, table := range tablesOf(t, want, schema) {
			rows := contents(t, want, table, byDefault)
			require.Equal(t, rows, contents(t, got, table, byDefault), table)
			if len(rows) > 0 {
				filled++
			}
		}
	}
	require.GreaterOrEqual(t, filled, 14)
}

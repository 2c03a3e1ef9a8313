package migrations_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"banyan/internal/postgres"
	"banyan/internal/testdb"
	"banyan/migrations"
)

// An app role is at home in its schema, reads and writes rows there, and can do
// nothing else.
func TestAppRoles(t *testing.T) {
	t.Parallel()
	db := testdb.New(t, migrations.FS)
	all := tables(t, db.Superuser())
	for _, schema := range migrations.Schemas {
		t.Run(schema, func(t *testing.T) {
			t.Parallel()
			app := db.Pool(schema + "_app")
			for setting, want := range map[string]string{
				"search_path": schema, "statement_timeout": "5s", "lock_timeout": "2s", "idle_in_transaction_session_timeout": "5s",
			} {
				require.Equal(t, []string{want}, ask[string](t, app, `select current_setting($1)`, setting), setting)
			}
			own := 0
			for _, table := range all {
				if table.Schema != schema {
					name := pgx.Identifier{table.Schema, table.Name}.Sanitize()
					mayNot(t, app, `select from `+name)
					mayNot(t, app, `insert into `+name+` default values`)
					mayNot(t, app, `delete from `+name)
					continue
				}
				own++
				name, columns := pgx.Identifier{table.Name}.Sanitize(), strings.Join(table.Columns, ", ")
				may(t, app, `select * from `+name+` for update`)
				may(t, app, `insert into `+name+` (`+columns+`) select `+columns+` from `+name+` where false`)
				may(t, app, `update `+name+` set `+table.Columns[0]+` = `+table.Columns[0]+` where false`)
				may(t, app, `delete from `+name+` where false`)
				mayNot(t, app, `truncate `+name+` cascade`)
				mayNot(t, app, `alter table `+name+` add column mine int`)
				mayNot(t, app, `drop table `+name+` cascade`)
			}
			require.NotZero(t, own)
			for _, forbidden := range []string{
				`create table mine ()`, `create table public.mine ()`, `create temporary table mine ()`, `create schema mine`,
				`create function mine() returns int language sql return 1`, `set role ` + schema + `_owner`,
			} {
				mayNot(t, app, forbidden)
			}
		})
	}
}

// An owner does as it likes in its own schema, and nothing in another's.
func TestOwners(t *testing.T) {
	t.Parallel()
	db := testdb.New(t, migrations.FS)
	for n, schema := range migrations.Schemas {
		t.Run(schema, func(t *testing.T) {
			t.Parallel()
			owner := db.Pool(schema + "_owner")
			require.Equal(t, []string{schema}, ask[string](t, owner, `select current_setting('search_path')`))
			require.Equal(t, []string{"10s"}, ask[string](t, owner, `select current_setting('lock_timeout')`))
			may(t, owner, `create table mine ()`)
			other := migrations.Schemas[(n+1)%len(migrations.Schemas)]
			mayNot(t, owner, `select from `+other+`.goose_db_version`)
			mayNot(t, owner, `create table `+other+`.mine ()`)
			mayNot(t, owner, `create table public.mine ()`)
		})
	}
}

// table is one of a schema, with the columns that can be written.
type table struct {
	Schema, Name string
	Columns      []string
}

func tables(t *testing.T, q postgres.Querier) []table {
	t.Helper()
	rows, err := q.Query(t.Context(), `
		select n.nspname, c.relname, array_agg(quote_ident(a.attname) order by a.attnum)
		from pg_class c
		join pg_namespace n on n.oid = c.relnamespace
		join pg_attribute a on a.attrelid = c.oid
		where n.nspname = any($1) and c.relkind = 'r'
			and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' and a.attidentity = ''
		group by 1, 2`, migrations.Schemas)
	require.NoError(t, err)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[table])
	require.NoError(t, err)
	return all
}

func may(t *testing.T, q postgres.Querier, sql string) {
	t.Helper()
	_, err := q.Exec(t.Context(), sql)
	require.NoError(t, err, sql)
}

// mayNot wants 42501, insufficient_privilege, and no other error.
func mayNot(t *testing.T, q postgres.Querier, sql string) {
	t.Helper()
	_, err := q.Exec(t.Context(), sql)
	var refused *pgconn.PgError
	require.ErrorAs(t, err, &refused, sql)
	require.Equal(t, "42501", refused.Code, sql)
}

func ask[T any](t *testing.T, q postgres.Querier, sql string, args ...any) []T {
	t.Helper()
	rows, err := q.Query(t.Context(), sql, args...)
	require.NoError(t, err)
	values, err := pgx.CollectRows(rows, pgx.RowTo[T])
	require.NoError(t, err)
	return values
}

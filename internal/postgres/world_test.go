package postgres_test

import (
	"context"
	"io/fs"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"banyan/internal/postgres"
	"banyan/internal/testdb"
)

// tree is a small set of migrations: two schemas of a garden.
func tree() fstest.MapFS {
	file := func(content string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(content)} }
	return fstest.MapFS{
		"bootstrap.sql": file(`
			do $$
			declare
				name text;
			begin
				foreach name in array array['trunk', 'leaf'] loop
					if not exists (select from pg_roles where rolname = name || '_owner') then
						execute format('create role %I login', name || '_owner');
						execute format('create role %I login', name || '_app');
					end if;
					execute format('create schema %I authorization %I', name, name || '_owner');
					execute format('grant usage on schema %I to %I', name, name || '_app');
					execute format('alter default privileges for role %I in schema %I grant select, insert, update on tables to %I',
						name || '_owner', name, name || '_app');
					execute format('alter role %I set search_path = %I', name || '_owner', name);
					execute format('alter role %I set search_path = %I', name || '_app', name);
				end loop;
			end
			$$;`),
		"trunk/00001_rings.sql": file(`-- +goose Up
			create table rings (
				year   int primary key,
				width  int not null constraint rings_width check (width > 0),
				cut_at timestamptz
			);
			create table knots (
				id   int constraint knots_id primary key,
				year int not null constraint knots_year references rings
			);`),
		"leaf/00001_veins.sql": file("-- +goose Up\ncreate table veins (id int);\n"),
	}
}

// of is the history of one schema.
func of(t *testing.T, schema string) fs.FS {
	t.Helper()
	sub, err := fs.Sub(tree(), schema)
	require.NoError(t, err)
	return sub
}

// garden opens a pool on a database of this test alone.
func garden(t *testing.T) (*testdb.DB, *pgxpool.Pool) {
	t.Helper()
	db := testdb.New(t, tree())
	return db, open(t, db.URL("trunk_app"))
}

func open(t *testing.T, url string) *pgxpool.Pool {
	t.Helper()
	pool, err := postgres.Open(t.Context(), url, postgres.Options{MaxConns: 4})
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return pool
}

func count(t *testing.T, q postgres.Querier, sql string, args ...any) (n int) {
	t.Helper()
	require.NoError(t, q.QueryRow(t.Context(), sql, args...).Scan(&n))
	return n
}

// soon waits until what has to come true is true.
func soon(t *testing.T, check func() bool, what string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !check(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			require.Fail(t, "did not come true in 10 s", what)
		}
	}
}

// within is a context that ends before the test would hang.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

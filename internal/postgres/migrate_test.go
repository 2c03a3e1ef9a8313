package postgres_test

import (
	"fmt"
	"io/fs"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/internal/postgres"
	"banyan/internal/testdb"
)

// next is a history with one migration more.
func next(t *testing.T, schema, sql string) fstest.MapFS {
	t.Helper()
	more := fstest.MapFS{"00002_more.sql": {Data: []byte("-- +goose Up\n" + sql + "\n")}}
	was := of(t, schema)
	names, err := fs.Glob(was, "*.sql")
	require.NoError(t, err)
	for _, name := range names {
		data, err := fs.ReadFile(was, name)
		require.NoError(t, err)
		more[name] = &fstest.MapFile{Data: data}
	}
	return more
}

func TestMigrate(t *testing.T) {
	t.Parallel()

	t.Run("applies what is missing, as the owner, and nothing twice", func(t *testing.T) {
		t.Parallel()
		db := testdb.New(t, tree())
		more := next(t, "trunk", "create table bark (id int); insert into rings (year, width) values (2024, 3);")
		for range 2 {
			version, err := postgres.Migrate(t.Context(), db.URL("trunk_owner"), more)
			require.NoError(t, err)
			require.EqualValues(t, 2, version)
			require.Equal(t, 1, count(t, db.Pool("trunk_app"), `select count(*) from rings`))
		}
		require.Equal(t, 1, count(t, db.Superuser(),
			`select count(*) from pg_tables where schemaname = 'trunk' and tablename = 'bark' and tableowner = 'trunk_owner'`))
		require.Zero(t, count(t, db.Superuser(), `select count(*) from pg_tables where schemaname in ('leaf', 'public') and tablename = 'bark'`))
	})
	t.Run("of one schema by four at once applies each migration once", func(t *testing.T) {
		t.Parallel()
		db := testdb.New(t, tree())
		more := next(t, "trunk", "insert into rings (year, width) values (2024, 3); select pg_sleep(0.2);")
		url := db.URL("trunk_owner")
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if version, err := postgres.Migrate(t.Context(), url, more); err != nil || version != 2 {
					t.Error(version, err)
				}
			})
		}
		wg.Wait()
		require.Equal(t, 1, count(t, db.Pool("trunk_app"), `select count(*) from rings`))
	})
	t.Run("of one schema does not wait for another's", func(t *testing.T) {
		t.Parallel()
		db := testdb.New(t, tree())
		super := db.Superuser()
		// The trunk's migration cannot end before the leaf's has.
		slow := next(t, "trunk", `-- +goose StatementBegin
			do $$
			begin
				while not exists (select from pg_tables where schemaname = 'leaf' and tablename = 'stomata') loop
					perform pg_sleep(0.01);
				end loop;
			end
			$$;
-- +goose StatementEnd`)
		ended := make(chan error, 1)
		url := db.URL("trunk_owner")
		ctx := within(t, 20*time.Second)
		go func() {
			_, err := postgres.Migrate(ctx, url, slow)
			ended <- err
		}()
		soon(t, func() bool {
			return count(t, super, `select count(*) from pg_stat_activity where usename = 'trunk_owner' and datname = current_database() and query like '%stomata%'`) > 0
		}, "the trunk's migration is at work")
		_, err := postgres.Migrate(t.Context(), db.URL("leaf_owner"), next(t, "leaf", "create table stomata ();"))
		require.NoError(t, err)
		require.NoError(t, <-ended)
	})
	t.Run("that fails names the schema and the version, and keeps nothing of it", func(t *testing.T) {
		t.Parallel()
		db := testdb.New(t, tree())
		_, err := postgres.Migrate(t.Context(), db.URL("trunk_owner"), next(t, "trunk", "create table bark (); select from nowhere;"))
		require.ErrorContains(t, err, "schema trunk")
		require.ErrorContains(t, err, "version:2")
		require.ErrorContains(t, err, "nowhere")
		require.Zero(t, count(t, db.Superuser(), `select count(*) from pg_tables where tablename = 'bark'`))
		_, err = postgres.Migrate(t.Context(), db.URL("trunk_owner"), fstest.MapFS{})
		require.ErrorContains(t, err, "schema trunk")
	})
	t.Run("in a database that was not bootstrapped says so", func(t *testing.T) {
		t.Parallel()
		db := testdb.New(t, tree())
		_, err := db.Superuser().Exec(t.Context(), `drop schema leaf cascade`)
		require.NoError(t, err)
		_, err = postgres.Migrate(t.Context(), db.URL("leaf_owner"), of(t, "leaf"))
		require.ErrorContains(t, err, "leaf_owner has no schema")
		require.ErrorContains(t, err, "bootstrap")
	})
	t.Run("needs the owner", func(t *testing.T) {
		t.Parallel()
		db := testdb.New(t, tree())
		_, err := postgres.Migrate(t.Context(), db.URL("trunk_app"), next(t, "trunk", "create table bark ();"))
		require.ErrorContains(t, err, "permission denied")
	})
}

func TestCheckVersion(t *testing.T) {
	t.Parallel()
	db, pool := garden(t)
	for name, c := range map[string]struct {
		known fs.FS
		says  []string
	}{
		"a schema that is older than the program": {
			next(t, "trunk", "select 1;"), []string{"version 1", "needs 2", "apply the migrations"},
		},
		"a schema that is newer than the program": {
			fstest.MapFS{}, []string{"version 1", "knows only 0", "newer build"},
		},
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			t.Parallel()
			err := postgres.CheckVersion(t.Context(), pool, c.known)
			require.ErrorIs(t, err, postgres.ErrSchema)
			for _, says := range c.says {
				require.ErrorContains(t, err, says)
			}
		})
	}
	t.Run("takes the one that the program knows", func(t *testing.T) {
		t.Parallel()
		require.NoError(t, postgres.CheckVersion(t.Context(), pool, of(t, "trunk")))
	})
	t.Run("refuses a schema without any migration", func(t *testing.T) {
		t.Parallel()
		bare := testdb.New(t, tree())
		_, err := bare.Superuser().Exec(t.Context(), `drop table leaf.goose_db_version`)
		require.NoError(t, err)
		err = postgres.CheckVersion(t.Context(), bare.Pool("leaf_app"), of(t, "leaf"))
		require.ErrorIs(t, err, postgres.ErrSchema)
		require.ErrorContains(t, err, "version 0")
	})
	t.Run("reads the newest of the migrations by number, and one that has none is a mistake", func(t *testing.T) {
		t.Parallel()
		many := fstest.MapFS{}
		for n := range 12 {
			many[fmt.Sprintf("%d_a.sql", n+1)] = &fstest.MapFile{}
		}
		require.ErrorContains(t, postgres.CheckVersion(t.Context(), pool, many), "needs 12")
		require.ErrorContains(t, postgres.CheckVersion(t.Context(), pool, fstest.MapFS{"notes.sql": {}}), "notes.sql")
	})
	t.Run("is another error if the server is away", func(t *testing.T) {
		t.Parallel()
		gone := open(t, db.URL("trunk_app"))
		gone.Close()
		err := postgres.CheckVersion(t.Context(), gone, of(t, "trunk"))
		require.Error(t, err)
		require.NotErrorIs(t, err, postgres.ErrSchema)
	})
}

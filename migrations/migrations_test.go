package migrations_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib" // goose speaks database/sql
	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"

	"banyan/internal/postgres"
	"banyan/internal/testdb"
	"banyan/migrations"
)

func TestFolders(t *testing.T) {
	t.Parallel()
	entries, err := migrations.FS.ReadDir(".")
	require.NoError(t, err)
	var folders []string
	for _, e := range entries {
		if e.IsDir() {
			folders = append(folders, e.Name())
		}
	}
	require.ElementsMatch(t, migrations.Schemas, folders)
	for _, schema := range migrations.Schemas {
		files, err := fs.Glob(migrations.Of(schema), "*.sql")
		require.NoError(t, err)
		require.NotEmpty(t, files, schema)
		for n, file := range files {
			require.Regexp(t, fmt.Sprintf(`^%05d_[a-z_]+\.sql$`, n+1), file, "%s: no number is left out or taken twice", schema)
		}
	}
	require.PanicsWithValue(t, "migrations: no schema attic", func() { migrations.Of("attic") })
}

// A database that was only bootstrapped goes up, all the way down, and up again.
func TestDownAndUp(t *testing.T) {
	t.Parallel()
	db := testdb.New(t, migrations.FS)
	super := db.Superuser()
	for _, schema := range migrations.Schemas {
		t.Run(schema, func(t *testing.T) {
			t.Parallel()
			p := history(t, db, schema)
			before := things(t, super, schema)
			require.NotEmpty(t, before)

			down, err := p.DownTo(t.Context(), 0)
			require.NoError(t, err)
			require.Len(t, down, len(p.ListSources()))
			require.Empty(t, things(t, super, schema), "going down leaves nothing behind")

			version, err := postgres.Migrate(t.Context(), db.URL(schema+"_owner"), migrations.Of(schema))
			require.NoError(t, err)
			require.EqualValues(t, len(down), version)
			require.Equal(t, before, things(t, super, schema))
			require.NoError(t, postgres.CheckVersion(t.Context(), db.Pool(schema+"_app"), migrations.Of(schema)))
		})
	}
}

// history goes up and down one schema, as its owner.
func history(t *testing.T, db *testdb.DB, schema string) *goose.Provider {
	t.Helper()
	config, err := postgres.ParseConfig(db.URL(schema + "_owner"))
	require.NoError(t, err)
	conn := stdlib.OpenDB(*config)
	t.Cleanup(func() { conn.Close() })
	p, err := goose.NewProvider(goose.DialectPostgres, conn, migrations.Of(schema), goose.WithDisableGlobalRegistry(true))
	require.NoError(t, err)
	return p
}

// goBefore takes back the migration of this name, and all that came after it.
func goBefore(t *testing.T, p *goose.Provider, name string) {
	t.Helper()
	for _, source := range p.ListSources() {
		if strings.HasSuffix(source.Path, "_"+name+".sql") {
			_, err := p.DownTo(t.Context(), source.Version-1)
			require.NoError(t, err)
			return
		}
	}
	require.Fail(t, "there is no migration "+name)
}

// things are what a schema holds, goose's own table aside, with who may do what
// with it.
func things(t *testing.T, q postgres.Querier, schema string) []string {
	t.Helper()
	return ask[string](t, q, `
		select format('%s %s %s %s', relkind, relname, pg_get_userbyid(relowner), relacl)
		from pg_class
		where relnamespace = $1::regnamespace and relkind <> 'c' and relname not like 'goose_db_version%'
		union all
		select format('function %s %s', oid::regprocedure, proacl)
		from pg_proc
		where pronamespace = $1::regnamespace
		union all
		select format('type %s', typname)
		from pg_type
		where typnamespace = $1::regnamespace and typtype in ('e', 'd', 'r')
		union all
		select format('%s on %s: %s', conname, conrelid::regclass, pg_get_constraintdef(oid))
		from pg_constraint
		where connamespace = $1::regnamespace and conname not like 'goose_db_version%'
		order by 1`, schema)
}

func TestBootstrap(t *testing.T) {
	t.Parallel()

	t.Run("again changes nothing", func(t *testing.T) {
		t.Parallel()
		super := testdb.New(t, migrations.FS).Superuser()
		before := rights(t, super)
		require.Greater(t, len(before), 8*4)
		for range 2 {
			require.NoError(t, bootstrap(t, super))
			require.Equal(t, before, rights(t, super))
		}
	})
	t.Run("of several databases at once works for all", func(t *testing.T) {
		t.Parallel()
		var databases []*pgxpool.Pool
		for range 4 {
			databases = append(databases, testdb.New(t, migrations.FS).Superuser())
		}
		var wg sync.WaitGroup
		for _, db := range databases {
			wg.Go(func() {
				for range 5 {
					if err := bootstrap(t, db); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
	})
	t.Run("gives each role its settings", func(t *testing.T) {
		t.Parallel()
		super := testdb.New(t, migrations.FS).Superuser()
		// The roles belong to all databases of the server and have their settings
		// already. Nobody else sees that they are without them for a moment.
		err := pgx.BeginFunc(t.Context(), super, func(tx pgx.Tx) error {
			may(t, tx, `lock table pg_authid, pg_db_role_setting in share row exclusive mode`)
			for _, schema := range migrations.Schemas {
				may(t, tx, `alter role `+schema+`_app reset all`)
				may(t, tx, `alter role `+schema+`_owner reset all`)
			}
			require.NoError(t, bootstrap(t, tx))
			for _, schema := range migrations.Schemas {
				const settings = `select unnest(rolconfig) from pg_roles where rolname = $1`
				require.ElementsMatch(t, []string{
					"search_path=" + schema, "statement_timeout=5s", "lock_timeout=2s", "idle_in_transaction_session_timeout=5s",
				}, ask[string](t, tx, settings, schema+"_app"))
				require.ElementsMatch(t, []string{
					"search_path=" + schema, "lock_timeout=10s",
				}, ask[string](t, tx, settings, schema+"_owner"))
			}
			return errKeepNothing
		})
		require.ErrorIs(t, err, errKeepNothing)
	})
}

var errKeepNothing = errors.New("keep nothing")

// bootstrap runs bootstrap.sql, which holds several statements.
func bootstrap(t *testing.T, q postgres.Querier) error {
	t.Helper()
	text, err := migrations.FS.ReadFile("bootstrap.sql")
	if err != nil {
		return err
	}
	_, err = q.Exec(t.Context(), string(text), pgx.QueryExecModeSimpleProtocol)
	return err
}

// rights are all that bootstrap.sql decides on.
func rights(t *testing.T, q postgres.Querier) []string {
	t.Helper()
	return ask[string](t, q, `
		select format('schema %s %s %s', nspname, pg_get_userbyid(nspowner), nspacl)
		from pg_namespace
		where nspname not like 'pg\_%' and nspname <> 'information_schema'
		union all
		select format('role %s %s %s %s', rolname, rolsuper, rolcanlogin, rolconfig)
		from pg_roles
		where rolname ~ '_(owner|app)$' and split_part(rolname, '_', 1) = any($1)
		union all
		select format('default %s %s %s %s', pg_get_userbyid(defaclrole), defaclnamespace::regnamespace, defaclobjtype, defaclacl)
		from pg_default_acl
		union all
		select format('database %s', datacl)
		from pg_database
		where datname = current_database()
		order by 1`, migrations.Schemas)
}

// A shop that was made before copies were counted in bigint keeps its books, and
// its shelves hold more afterwards.
func TestBigStock(t *testing.T) {
	t.Parallel()
	db := testdb.New(t, migrations.FS)
	super := db.Superuser()
	for schema, c := range map[string]struct{ file, fill, same, grow, grown string }{
		"monolith": {
			file: "big_stock",
			fill: `insert into monolith.books (id, isbn, title, authors, subject, price, stock)
				values (gen_random_uuid(), '1', 'Moby Dick', '{Herman Melville}', 'novels', 1, 2147483647)`,
			same:  `select format('%s %s %s %s', id, stock, words, age) from monolith.books`,
			grow:  `update monolith.books set stock = stock + 9007199254740991`,
			grown: `select stock from monolith.books`,
		},
		"inventory": {
			file:  "big_stock",
			fill:  `insert into inventory.stock (book_id, on_hand, reserved) values (gen_random_uuid(), 2147483647, 7)`,
			same:  `select format('%s %s %s', book_id, on_hand, reserved) from inventory.stock`,
			grow:  `update inventory.stock set on_hand = on_hand + 9007199254740991`,
			grown: `select on_hand from inventory.stock`,
		},
		"catalog": {
			file:  "big_availability",
			fill:  `insert into catalog.availability (book_id, available, version) values (gen_random_uuid(), 2147483647, 1)`,
			same:  `select format('%s %s', book_id, available) from catalog.availability`,
			grow:  `update catalog.availability set available = available + 9007199254740991`,
			grown: `select available from catalog.availability`,
		},
	} {
		t.Run(schema, func(t *testing.T) {
			t.Parallel()
			goBefore(t, history(t, db, schema), c.file)
			may(t, super, c.fill)
			was := ask[string](t, super, c.same)
			options := `select format('%s %s', relname, reloptions) from pg_class where relnamespace = $1::regnamespace and relkind = 'r' order by 1`
			settings := ask[string](t, super, options, schema)

			_, err := postgres.Migrate(t.Context(), db.URL(schema+"_owner"), migrations.Of(schema))
			require.NoError(t, err)
			require.Equal(t, was, ask[string](t, super, c.same))
			require.Subset(t, ask[string](t, super, options, schema), settings, "fillfactor stays")
			may(t, super, c.grow)
			require.Equal(t, []int64{2147483647 + 9007199254740991}, ask[int64](t, super, c.grown))
		})
	}
}

package testdb

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"banyan/internal/postgres"
)

func TestNew(t *testing.T) {
	t.Parallel()

	t.Run("two tests do not see each other", func(t *testing.T) {
		t.Parallel()
		one, other := New(t, tree("")), New(t, tree(""))
		_, err := one.Pool("trunk_app").Exec(t.Context(), `insert into rings values (2024)`)
		require.NoError(t, err)
		require.Equal(t, 1, ask[int](t, one.URL("trunk_app"), `select count(*) from rings`))
		require.Equal(t, 0, ask[int](t, other.URL("trunk_app"), `select count(*) from rings`))
	})

	t.Run("a role has its own rights and no more", func(t *testing.T) {
		t.Parallel()
		db := New(t, tree(""))
		app := db.Pool("trunk_app")
		for _, forbidden := range []string{
			`create table mine ()`,
			`delete from rings`,
			`select * from leaf.veins`,
			`create temporary table mine ()`, // a right on the database, which cloning alone would give back
		} {
			_, err := app.Exec(t.Context(), forbidden)
			var refused *pgconn.PgError
			require.ErrorAs(t, err, &refused, forbidden)
			require.Equal(t, "42501", refused.Code, forbidden)
		}
		_, err := db.Pool("trunk_owner").Exec(t.Context(), `create table mine ()`)
		require.NoError(t, err)
		_, err = db.Superuser().Exec(t.Context(), `create extension if not exists plpgsql`)
		require.NoError(t, err)
	})

	t.Run("a role beside the schemas' two can log in", func(t *testing.T) {
		t.Parallel()
		db := New(t, tree(""))
		_, err := db.Superuser().Exec(t.Context(), `grant connect on database `+db.name+` to gardener`)
		require.NoError(t, err)
		require.Equal(t, "gardener", ask[string](t, db.URL("gardener"), `select current_user::text`))
	})

	t.Run("the database goes with its test, open connections or not", func(t *testing.T) {
		t.Parallel()
		var db *DB
		t.Run("inner", func(t *testing.T) {
			db = New(t, tree(""))
			conn, err := postgres.Connect(context.Background(), db.URL("trunk_app"))
			require.NoError(t, err)
			t.Cleanup(func() { _ = conn.Close(context.Background()) })
			db.Pool("trunk_app")
		})
		require.False(t, ask[bool](t, db.server.superuser.String(),
			`select exists (select from pg_database where datname = $1)`, db.name))
	})

	t.Run("a template dropped by another process is made again", func(t *testing.T) {
		t.Parallel()
		migrations := tree(t.Name())
		server := New(t, migrations).server
		h, err := readHistory(migrations)
		require.NoError(t, err)
		dropTemplate(t, server, templatePrefix+h.hash)
		require.Equal(t, 0, ask[int](t, New(t, migrations).URL("trunk_app"), `select count(*) from rings`))
	})

	t.Run("a template left half made is made again", func(t *testing.T) {
		t.Parallel()
		migrations := tree(rand.Text()) // one that no earlier run has finished
		h, err := readHistory(migrations)
		require.NoError(t, err)
		server, err := theServer()
		require.NoError(t, err)
		require.NoError(t, server.locked(t.Context(), func(conn *pgx.Conn) error {
			_, err := conn.Exec(t.Context(), `create database `+templatePrefix+h.hash)
			return err
		}))
		require.Equal(t, 0, ask[int](t, New(t, migrations).URL("trunk_app"), `select count(*) from rings`))
		dropTemplate(t, server, templatePrefix+h.hash)
	})

	t.Run("nobody can connect to a template and spoil it", func(t *testing.T) {
		t.Parallel()
		db := New(t, tree(""))
		h, err := readHistory(tree(""))
		require.NoError(t, err)
		_, err = db.server.connect(t.Context(), templatePrefix+h.hash)
		require.ErrorContains(t, err, "not currently accepting connections")
	})
}

func dropTemplate(t *testing.T, server *server, name string) {
	t.Helper()
	require.NoError(t, server.locked(t.Context(), func(conn *pgx.Conn) error {
		if _, err := conn.Exec(t.Context(), `alter database `+name+` with is_template false`); err != nil {
			return err
		}
		_, err := conn.Exec(t.Context(), `drop database `+name)
		return err
	}))
}

func TestReadHistory(t *testing.T) {
	t.Parallel()

	t.Run("schemas are the folders with migrations, extract aside", func(t *testing.T) {
		t.Parallel()
		h, err := readHistory(tree(""))
		require.NoError(t, err)
		require.Equal(t, []string{"leaf", "trunk"}, h.schemas)
	})

	t.Run("the hash follows what a template is made of, and nothing else", func(t *testing.T) {
		t.Parallel()
		hash := func(file, content string) string {
			migrations := tree("")
			if file != "" {
				migrations[file].Data = []byte(content)
			}
			h, err := readHistory(migrations)
			require.NoError(t, err)
			return h.hash
		}
		require.Equal(t, hash("", ""), hash("", ""))
		require.NotEqual(t, hash("", ""), hash("bootstrap.sql", "select 1"))
		require.NotEqual(t, hash("", ""), hash("trunk/00001_rings.sql", "select 1"))
		require.Equal(t, hash("", ""), hash("notes/README.md", "other words"))
		require.Equal(t, hash("", ""), hash("extract/01-leaf/go.sql", "other words"))
	})

	t.Run("bootstrap.sql has to be there", func(t *testing.T) {
		t.Parallel()
		migrations := tree("")
		delete(migrations, "bootstrap.sql")
		_, err := readHistory(migrations)
		require.ErrorContains(t, err, "bootstrap.sql")
	})
}

func TestNATS(t *testing.T) {
	t.Parallel()
	for range 2 { // each finds it empty
		conn, err := nats.Connect(NATS(t))
		require.NoError(t, err)
		t.Cleanup(conn.Close)
		js, err := jetstream.New(conn)
		require.NoError(t, err)
		_, err = js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "LEAVES", Subjects: []string{"leaf.*"}})
		require.NoError(t, err)
		_, err = js.Publish(t.Context(), "leaf.green", nil)
		require.NoError(t, err)
		stream, err := js.Stream(t.Context(), "LEAVES")
		require.NoError(t, err)
		require.EqualValues(t, 1, stream.CachedInfo().State.Msgs)
	}
}

func BenchmarkNew(b *testing.B) {
	New(b, tree(""))
	for b.Loop() {
		New(b, tree(""))
	}
}

func TestPruning(t *testing.T) {
	t.Parallel()
	dir := roomyFolder(t)
	address, kill := startChild(t, "DATABASE_URL=", "TMPDIR="+dir)
	url := address()
	defer kill()
	admin := strings.Replace(url, url[strings.LastIndex(url, "/"):], "/postgres?sslmode=disable", 1)
	conn, err := postgres.Connect(t.Context(), admin)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	for i := range keptTemplates + 2 {
		name := templatePrefix + string(rune('a'+i))
		_, err := conn.Exec(t.Context(), `create database `+name+` with is_template true allow_connections false`)
		require.NoError(t, err)
	}
	h, err := readHistory(tree(""))
	require.NoError(t, err)

	require.NoError(t, dropOld(t.Context(), conn, templatePrefix+h.hash))
	rows, err := conn.Query(t.Context(), `select datname from pg_database where starts_with(datname, $1) order by oid`, templatePrefix)
	require.NoError(t, err)
	left, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.Len(t, left, 1+keptTemplates)
	require.Equal(t, templatePrefix+h.hash, left[0], "the current one is kept though it is the oldest")
	require.Equal(t, templatePrefix+"c", left[1], "of the others, the oldest go")
	require.Equal(t, 0, ask[int](t, url, `select count(*) from trunk.rings`), "a database in use is kept")
}

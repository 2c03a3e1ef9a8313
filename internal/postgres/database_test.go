package postgres_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"banyan/internal/postgres"
	"banyan/internal/testdb"
)

func TestDatabaseText(t *testing.T) {
	t.Parallel()
	db := testdb.New(t, tree())
	conn, err := postgres.Connect(t.Context(), db.SuperuserURL())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	made := func(create func(name string) error) string {
		name := "postgres_test_" + strings.ToLower(rand.Text())
		require.NoError(t, create(name))
		t.Cleanup(func() {
			_, err := conn.Exec(context.Background(), `drop database `+name+` with (force)`)
			require.NoError(t, err)
		})
		location, err := url.Parse(db.SuperuserURL())
		require.NoError(t, err)
		location.Path = "/" + name
		return location.String()
	}

	require.NoError(t, postgres.CheckText(t.Context(), made(func(name string) error {
		return postgres.CreateDatabase(t.Context(), conn, name)
	})))
	require.ErrorContains(t, postgres.CreateDatabase(t.Context(), conn, "postgres"), "already exists")

	for _, encoding := range []string{"UTF8", "LATIN1", "SQL_ASCII"} {
		location := made(func(name string) error {
			_, err := conn.Exec(t.Context(), fmt.Sprintf(
				`create database %s template template0 encoding '%s' locale_provider libc lc_collate 'C' lc_ctype 'C'`, name, encoding))
			return err
		})
		says := "has encoding " + encoding + " and locale C; drop it"
		err := postgres.CheckText(t.Context(), location)
		require.ErrorIs(t, err, postgres.ErrText)
		require.ErrorContains(t, err, says)

		bare, err := postgres.Connect(t.Context(), location)
		require.NoError(t, err)
		_, err = bare.Exec(t.Context(), `create schema trunk; alter role current_user in database `+bare.Config().Database+` set search_path = trunk`,
			pgx.QueryExecModeSimpleProtocol)
		require.NoError(t, err)
		require.NoError(t, bare.Close(t.Context()))
		_, err = postgres.Migrate(t.Context(), location, of(t, "trunk"))
		require.ErrorIs(t, err, postgres.ErrText, "nothing is migrated in such a database")
	}
}

func TestClaim(t *testing.T) {
	t.Parallel()
	location := testdb.New(t, tree()).SuperuserURL() // a database of its own, and so claims of its own
	claim := func(who string, shared bool) (*pgx.Conn, error) {
		return postgres.Claim(t.Context(), location, who, shared)
	}
	first, err := claim("the first lab", false)
	require.NoError(t, err)
	for _, shared := range []bool{false, true} {
		_, err = claim("a second", shared)
		require.ErrorIs(t, err, postgres.ErrClaimed)
		require.ErrorContains(t, err, "by the first lab, since")
	}

	// As after kill -9: the kernel closes the connection, and nobody says good-bye.
	require.NoError(t, first.PgConn().Conn().Close())
	one, err := claim("some tests", true)
	require.NoError(t, err)
	other, err := claim("other tests", true)
	require.NoError(t, err)
	_, err = claim("a lab", false)
	require.ErrorContains(t, err, "tests, since")
	require.NoError(t, one.Close(t.Context()))
	require.NoError(t, other.Close(t.Context()))
	lab, err := claim("a lab", false)
	require.NoError(t, err)
	require.NoError(t, lab.Close(t.Context()))
}

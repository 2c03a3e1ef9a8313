package postgres_test

import (
	"context"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"banyan/internal/postgres"
	"banyan/internal/testdb"
)

// Whatever is wrong, the error says where, and never with which password.
func TestOpenFails(t *testing.T) {
	t.Parallel()
	db, _ := garden(t)
	there, err := url.Parse(db.URL("trunk_app"))
	require.NoError(t, err)
	spoil := func(change func(*url.URL)) string {
		u := *there
		u.User = url.UserPassword("trunk_app", "hush")
		change(&u)
		return u.String()
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	nobody := closed.Addr().String()
	require.NoError(t, closed.Close())

	for name, c := range map[string]struct {
		url  string
		says []string
	}{
		"a wrong password":        {spoil(func(*url.URL) {}), []string{there.Host, "as trunk_app", "password authentication failed"}},
		"an unknown database":     {strings.Replace(there.String(), there.Path, "/hedge", 1), []string{there.Host, "database hedge", "does not exist"}},
		"an unknown user":         {spoil(func(u *url.URL) { u.User = url.UserPassword("mole", "hush") }), []string{"as mole"}},
		"a server that is away":   {spoil(func(u *url.URL) { u.Host = nobody }), []string{"reach PostgreSQL at " + nobody, "as trunk_app"}},
		"a port that is none":     {"postgres://trunk_app:hush@127.0.0.1:70000/trunk", []string{"database URL", "port", "has to look like"}},
		"an unescaped percent":    {"postgres://trunk_app:hush%zz@127.0.0.1/trunk", []string{"database URL", "percent-encoded"}},
		"an unescaped slash":      {"postgres://trunk_app:hush/hush@127.0.0.1/trunk", []string{"database URL"}},
		"an unknown TLS mode":     {"postgres://127.0.0.1/trunk?password=hush&sslmode=moss", []string{"database URL", "sslmode is invalid"}},
		"words with space around": {"host=127.0.0.1 password = hush sslmode=moss", []string{"database URL", "sslmode is invalid"}},
	} {
		t.Run("on "+name, func(t *testing.T) {
			t.Parallel()
			_, err := postgres.Open(within(t, 10*time.Second), c.url, postgres.Options{})
			require.Error(t, err)
			for _, says := range c.says {
				require.ErrorContains(t, err, says)
			}
			require.NotContains(t, err.Error(), "hush")
			_, err = postgres.Migrate(within(t, 10*time.Second), c.url, of(t, "trunk"))
			require.Error(t, err)
			require.NotContains(t, err.Error(), "hush")
		})
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	_, pool := garden(t)

	t.Run("times are UTC, wherever the process and the session are", func(t *testing.T) {
		t.Parallel()
		err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), `set local time zone 'Asia/Tokyo'`)
			require.NoError(t, err)
			noon := time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.FixedZone("New York", -5*3600))
			var got time.Time
			require.NoError(t, tx.QueryRow(t.Context(), `select $1::timestamptz`, noon).Scan(&got))
			require.Equal(t, noon.UTC(), got)
			require.Equal(t, time.UTC, got.Location())
			var many []time.Time
			require.NoError(t, tx.QueryRow(t.Context(), `select array[$1::timestamptz]`, noon).Scan(&many))
			require.Equal(t, []time.Time{noon.UTC()}, many)
			var none *time.Time
			require.NoError(t, tx.QueryRow(t.Context(), `select null::timestamptz`).Scan(&none))
			require.Nil(t, none)
			return nil
		})
		require.NoError(t, err)
	})
	t.Run("ids go there and back, alone, in lists and null", func(t *testing.T) {
		t.Parallel()
		id := uuid.New()
		var one uuid.UUID
		var many []uuid.UUID
		var none *uuid.UUID
		var text string
		require.NoError(t, pool.QueryRow(t.Context(), `select $1::uuid, $2::uuid[], null::uuid, $1::text`, id, []uuid.UUID{id, uuid.Nil}).
			Scan(&one, &many, &none, &text))
		require.Equal(t, id, one)
		require.Equal(t, []uuid.UUID{id, uuid.Nil}, many)
		require.Nil(t, none)
		require.Equal(t, id.String(), text)
	})
	t.Run("holds 16 connections unless told otherwise", func(t *testing.T) {
		t.Parallel()
		require.EqualValues(t, 4, pool.Config().MaxConns)
		usual, err := postgres.Open(t.Context(), pool.Config().ConnString(), postgres.Options{})
		require.NoError(t, err)
		defer usual.Close()
		require.EqualValues(t, 16, usual.Config().MaxConns)
	})
}

func TestExec(t *testing.T) {
	t.Parallel()
	_, pool := garden(t)
	grow := func(year, width int) *pgx.Batch {
		var b pgx.Batch
		b.Queue(`insert into rings (year, width) values ($1, 1)`, year)
		b.Queue(`insert into rings (year, width) values ($1, $2)`, year+1, width)
		b.Queue(`insert into rings (year, width) values ($1, 1)`, year+2)
		return &b
	}

	t.Run("keeps the whole batch", func(t *testing.T) {
		t.Parallel()
		require.NoError(t, postgres.Exec(t.Context(), pool, grow(1000, 1)))
		require.Equal(t, 3, count(t, pool, `select count(*) from rings where year between 1000 and 1002`))
	})
	t.Run("or nothing of it, and says why", func(t *testing.T) {
		t.Parallel()
		require.True(t, postgres.CheckViolation(postgres.Exec(t.Context(), pool, grow(1100, 0)), "rings_width"))
		require.Zero(t, count(t, pool, `select count(*) from rings where year between 1100 and 1102`))
	})
	t.Run("in a transaction is a part of it", func(t *testing.T) {
		t.Parallel()
		tx, err := pool.Begin(t.Context())
		require.NoError(t, err)
		require.NoError(t, postgres.Exec(t.Context(), tx, grow(1200, 1)))
		require.Equal(t, 3, count(t, tx, `select count(*) from rings where year between 1200 and 1202`))
		require.NoError(t, tx.Rollback(t.Context()))
		require.Zero(t, count(t, pool, `select count(*) from rings where year between 1200 and 1202`))
	})
}

// A request that is given up in the middle of a statement must not cost the connection: to make a new one is dear, and when a
// busy server makes many give up, there would soon be nothing but new ones.
func TestConnectionOutlivesItsRequest(t *testing.T) {
	t.Parallel()
	db := testdb.New(t, tree())
	pool, err := postgres.Open(t.Context(), db.URL("trunk_app"), postgres.Options{MaxConns: 1})
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	before := count(t, pool, `select pg_backend_pid()`)

	t.Run("if the statement soon ends by itself", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		defer cancel()
		_, err := pool.Exec(ctx, `select pg_sleep(0.2)`)
		if err != nil { // it may have ended well after all
			require.ErrorIs(t, err, context.DeadlineExceeded)
		}
		require.Equal(t, before, count(t, pool, `select pg_backend_pid()`))
	})
	t.Run("if the statement has to be cancelled", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		defer cancel()
		began := time.Now()
		_, err := pool.Exec(ctx, `select pg_sleep(30)`)
		require.Error(t, err)
		require.Less(t, time.Since(began), 10*time.Second)
		require.Equal(t, before, count(t, pool, `select pg_backend_pid()`))
	})
}

package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"banyan/internal/postgres"
)

func TestViolations(t *testing.T) {
	t.Parallel()
	_, pool := garden(t)
	_, err := pool.Exec(t.Context(), `insert into rings (year, width) values (2000, 1)`)
	require.NoError(t, err)
	_, err = pool.Exec(t.Context(), `insert into knots (id, year) values (1, 2000)`)
	require.NoError(t, err)

	type predicate func(error) bool
	named := func(f func(error, string) bool, constraint string) predicate {
		return func(err error) bool { return f(err, constraint) }
	}
	unique, check, foreign := postgres.UniqueViolation, postgres.CheckViolation, postgres.ForeignKeyViolation
	null := func(table, column string) predicate {
		return func(err error) bool { return postgres.NotNullViolation(err, table, column) }
	}
	for sql, c := range map[string]struct{ is, isNot []predicate }{
		`insert into knots (id, year) values (1, 2000)`: {
			is:    []predicate{named(unique, "knots_id"), named(unique, "")},
			isNot: []predicate{named(unique, "knots_year"), named(check, ""), named(foreign, ""), null("knots", "id")},
		},
		`insert into rings (year, width) values (1999, 0)`: {
			is:    []predicate{named(check, "rings_width"), named(check, "")},
			isNot: []predicate{named(check, "rings_length"), named(unique, ""), named(foreign, ""), null("rings", "width")},
		},
		`insert into knots (id, year) values (2, 1066)`: {
			is:    []predicate{named(foreign, "knots_year"), named(foreign, "")},
			isNot: []predicate{named(foreign, "knots_id"), named(unique, ""), named(check, ""), null("knots", "year")},
		},
		`insert into rings (year) values (1998)`: {
			is:    []predicate{null("rings", "width")},
			isNot: []predicate{null("rings", "year"), null("knots", "width"), named(check, "")},
		},
		`select from bark`: {
			isNot: []predicate{named(unique, ""), named(check, ""), named(foreign, ""), null("", "")},
		},
	} {
		t.Run(sql, func(t *testing.T) {
			t.Parallel()
			_, err := pool.Exec(t.Context(), sql)
			require.Error(t, err)
			for _, err := range []error{err, fmt.Errorf("grow: %w", err)} {
				for _, is := range c.is {
					require.True(t, is(err), err)
				}
				for _, is := range c.isNot {
					require.False(t, is(err), err)
				}
				require.False(t, postgres.Unavailable(err))
				require.False(t, postgres.Retryable(err))
			}
		})
	}
	for _, err := range []error{nil, errors.New("duplicate key"), pgx.ErrNoRows} {
		require.False(t, unique(err, ""))
		require.False(t, null("rings", "width")(err))
	}
}

func TestRetryable(t *testing.T) {
	t.Parallel()
	_, pool := garden(t)
	_, err := pool.Exec(t.Context(), `insert into rings (year, width) values (1, 1), (2, 1)`)
	require.NoError(t, err)
	begin := func(isolation pgx.TxIsoLevel) pgx.Tx {
		tx, err := pool.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: isolation})
		require.NoError(t, err)
		t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
		return tx
	}
	widen := func(tx pgx.Tx, year int) error {
		_, err := tx.Exec(t.Context(), `update rings set width = width + 1 where year = $1`, year)
		return err
	}

	t.Run("is a deadlock", func(t *testing.T) {
		one, other := begin(pgx.ReadCommitted), begin(pgx.ReadCommitted)
		require.NoError(t, widen(one, 1))
		require.NoError(t, widen(other, 2))
		met := make(chan error, 1)
		go func() { met <- widen(one, 2) }()
		err := errors.Join(widen(other, 1), <-met) // PostgreSQL chooses which of them fails
		require.True(t, postgres.Retryable(err), err)
		require.True(t, postgres.Retryable(fmt.Errorf("grow: %w", err)))
		require.False(t, postgres.Unavailable(err))
		require.NoError(t, errors.Join(one.Rollback(t.Context()), other.Rollback(t.Context())))
	})
	t.Run("is a transaction that another one overtook", func(t *testing.T) {
		one, other := begin(pgx.RepeatableRead), begin(pgx.RepeatableRead)
		require.Equal(t, 2, count(t, one, `select count(*) from rings`), "from here on it sees no changes")
		require.NoError(t, widen(other, 1))
		require.NoError(t, other.Commit(t.Context()))
		err := widen(one, 1)
		require.True(t, postgres.Retryable(err), err)
	})
}

func TestUnavailable(t *testing.T) {
	t.Parallel()
	db, pool := garden(t)

	t.Run("is a statement that took too long", func(t *testing.T) {
		t.Parallel()
		err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(t.Context(), `set local statement_timeout = 20`); err != nil {
				return err
			}
			_, err := tx.Exec(t.Context(), `select pg_sleep(10)`)
			return err
		})
		require.True(t, postgres.Unavailable(err), err)
	})
	t.Run("is a lock that did not come free", func(t *testing.T) {
		t.Parallel()
		holder, err := pool.Begin(t.Context())
		require.NoError(t, err)
		defer func() { _ = holder.Rollback(context.Background()) }()
		_, err = holder.Exec(t.Context(), `lock table rings in row exclusive mode`)
		require.NoError(t, err)
		err = pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(t.Context(), `set local lock_timeout = 20`); err != nil {
				return err
			}
			_, err := tx.Exec(t.Context(), `lock table rings in share row exclusive mode`)
			return err
		})
		require.True(t, postgres.Unavailable(err), err)
		require.False(t, postgres.Retryable(err))
	})
	t.Run("is a session that stood still in a transaction for too long", func(t *testing.T) {
		t.Parallel()
		err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(t.Context(), `set local idle_in_transaction_session_timeout = 20`); err != nil {
				return err
			}
			time.Sleep(100 * time.Millisecond)
			_, err := tx.Exec(t.Context(), `select 1`)
			return err
		})
		require.True(t, postgres.Unavailable(err), err)
	})
	t.Run("is a session that an administrator ended", func(t *testing.T) {
		t.Parallel()
		conn, err := pool.Acquire(t.Context())
		require.NoError(t, err)
		defer conn.Release()
		count(t, db.Superuser(), `select pg_terminate_backend($1)::int`, conn.Conn().PgConn().PID())
		soon(t, func() bool { _, err = conn.Exec(t.Context(), `select 1`); return err != nil }, "the session is over")
		require.True(t, postgres.Unavailable(err), err)
		_, err = conn.Exec(t.Context(), `select 1`)
		require.True(t, postgres.Unavailable(err), "a connection that is known to be closed: %v", err)
	})
	t.Run("is a server that nobody answers for", func(t *testing.T) {
		t.Parallel()
		closed, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		require.NoError(t, closed.Close())
		_, err = postgres.Open(t.Context(), "postgres://trunk_app@"+closed.Addr().String()+"/trunk", postgres.Options{})
		require.True(t, postgres.Unavailable(err), err)
	})
	for name, reset := range map[string]bool{"closed": false, "reset": true} {
		t.Run("is a connection that is "+name+" in the middle of an answer", func(t *testing.T) {
			t.Parallel()
			address, cut := cable(t, db.URL("trunk_app"))
			pool := open(t, address)
			var answer error
			done := make(chan struct{})
			go func() {
				defer close(done)
				_, answer = pool.Exec(t.Context(), `select pg_sleep(30)`)
			}()
			time.Sleep(50 * time.Millisecond)
			cut(reset)
			<-done
			require.True(t, postgres.Unavailable(answer), answer)
		})
	}
	t.Run("is a connection that is reset, as the driver hands it on from a batch", func(t *testing.T) {
		t.Parallel()
		for _, cause := range []error{syscall.ECONNRESET, syscall.EPIPE, syscall.ETIMEDOUT} {
			err := &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", cause)}
			require.True(t, postgres.Unavailable(fmt.Errorf("place order: %w", err)), cause)
		}
	})
	t.Run("is a server without room on its disk", func(t *testing.T) {
		t.Parallel()
		require.True(t, postgres.Unavailable(&pgconn.PgError{Code: "53100"}))
	})
	t.Run("is nothing else", func(t *testing.T) {
		t.Parallel()
		for _, err := range []error{
			nil, pgx.ErrNoRows, io.EOF, context.Canceled, errors.New("away"),
			&pgconn.PgError{Code: "42501"}, &pgconn.PgError{Code: "22021"}, &pgconn.PgError{Code: "40P01"},
		} {
			require.False(t, postgres.Unavailable(err), err)
		}
		for _, code := range []string{"57P01", "57P02", "57P03", "57P05", "25P04", "53300"} {
			require.True(t, postgres.Unavailable(&pgconn.PgError{Code: code}), code)
		}
	})
}

// cable lies between the test and the server, so that it can be cut.
func cable(t *testing.T, server string) (address string, cut func(reset bool)) {
	t.Helper()
	u, err := url.Parse(server)
	require.NoError(t, err)
	end, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = end.Close() })
	conns := make(chan *net.TCPConn, 16)
	go func() {
		for {
			conn, err := end.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", u.Host)
			if err != nil {
				_ = conn.Close()
				continue
			}
			go func() { _, _ = io.Copy(far, conn); _ = far.Close() }()
			go func() { _, _ = io.Copy(conn, far); _ = conn.Close() }()
			conns <- conn.(*net.TCPConn)
		}
	}()
	return strings.Replace(server, u.Host, end.Addr().String(), 1), func(reset bool) {
		for len(conns) > 0 {
			conn := <-conns
			if reset {
				_ = conn.SetLinger(0)
			}
			_ = conn.Close()
		}
	}
}

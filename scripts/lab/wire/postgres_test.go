package wire_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"banyan/internal/postgres"
	"banyan/internal/testdb"
	"banyan/scripts/lab/wire"
)

// shelf is a database of one table, and a pool that reaches it by way of a proxy.
type shelf struct {
	proxy  *wire.Proxy
	pool   *pgxpool.Pool
	direct *pgxpool.Pool
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	file := func(sql string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(sql)} }
	db := testdb.New(t, fstest.MapFS{
		"bootstrap.sql": file(`
			do $$ begin
				if not exists (select from pg_roles where rolname = 'trunk_owner') then
					create role trunk_owner login;
					create role trunk_app login;
				end if;
				create schema trunk authorization trunk_owner;
				alter role trunk_owner set search_path = trunk;
			end $$;`),
		"trunk/00001_rings.sql": file("-- +goose Up\ncreate table rings (year int primary key);\n"),
	})
	proxy, address := before(t, db.URL("trunk_owner"), wire.Postgres)
	config, err := postgres.ParsePoolConfig(address)
	require.NoError(t, err)
	config.MaxConns = 1
	config.ConnConfig.RuntimeParams["application_name"] = "orders"
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	require.NoError(t, pool.Ping(t.Context()))
	return &shelf{proxy: proxy, pool: pool, direct: db.Pool("trunk_owner")}
}

func (s *shelf) years(t *testing.T) []int {
	t.Helper()
	rows, err := s.direct.Query(t.Context(), `select year from rings order by year`)
	require.NoError(t, err)
	years, err := pgx.CollectRows(rows, pgx.RowTo[int])
	require.NoError(t, err)
	return years
}

const (
	insert = "insert into rings values ($1)"
	count  = "select count(*) from rings"
)

func TestPostgresMoments(t *testing.T) {
	s := newShelf(t)
	seen := watch(s.proxy, nil)
	ctx := t.Context()
	expect := func(t *testing.T, words ...string) {
		t.Helper()
		for _, m := range seen.eventually(t, words...) {
			require.Equal(t, "orders", m.Application)
		}
		require.Zero(t, s.proxy.Unread())
	}
	none := func(t *testing.T) {
		t.Helper()
		require.NoError(t, s.pool.Ping(ctx)) // whatever was to come before this has come
		require.Empty(t, seen.take())
		require.Zero(t, s.proxy.Unread())
	}

	// once is for one commit, whatever its statements.
	once := func(t *testing.T) {
		t.Helper()
		require.NoError(t, s.pool.Ping(ctx))
		require.Equal(t, []wire.Kind{wire.Commit, wire.Commit, wire.Committed, wire.Committed}, kinds(seen.take()))
	}

	t.Run("a transaction commits once, with its statements, prepared just now or before", func(t *testing.T) {
		for _, year := range []int{1, 2} {
			require.NoError(t, pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
				var n int
				require.NoError(t, tx.QueryRow(ctx, count).Scan(&n))
				_, err := tx.Exec(ctx, insert, year)
				return err
			}))
			expect(t, both("commit: "+count+"; "+insert, "committed: "+count+"; "+insert)...)
		}
	})

	t.Run("a batch outside of a transaction commits at its end if it writes", func(t *testing.T) {
		for _, year := range []int{3, 5} {
			var b pgx.Batch
			b.Queue(insert, year)
			b.Queue(count)
			b.Queue(insert, year+1)
			require.NoError(t, s.pool.SendBatch(ctx, &b).Close())
			run := insert + "; " + count + "; " + insert
			expect(t, both("commit: "+run, "committed: "+run)...)
		}
		var b pgx.Batch
		b.Queue(count)
		require.NoError(t, s.pool.SendBatch(ctx, &b).Close())
		none(t)
	})

	t.Run("a batch inside of a transaction commits with it", func(t *testing.T) {
		require.NoError(t, pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
			for _, year := range []int{10, 11} {
				var b pgx.Batch
				b.Queue(insert, year)
				require.NoError(t, tx.SendBatch(ctx, &b).Close())
			}
			require.Empty(t, seen.take())
			return nil
		}))
		expect(t, both("commit: "+insert+"; "+insert, "committed: "+insert+"; "+insert)...)
	})

	t.Run("a batch that fails is not committed", func(t *testing.T) {
		var b pgx.Batch
		b.Queue(insert, 1) // is there
		b.Queue(insert, 20)
		require.Error(t, s.pool.SendBatch(ctx, &b).Close())
		expect(t, both("commit: "+insert+"; "+insert)...)
		none(t)
		require.NotContains(t, s.years(t), 20)
	})

	t.Run("statements alone", func(t *testing.T) {
		_, err := s.pool.Exec(ctx, insert, 30)
		require.NoError(t, err)
		expect(t, both("commit: "+insert, "committed: "+insert)...)
		_, err = s.pool.Exec(ctx, "delete from rings where year = 30")
		require.NoError(t, err)
		expect(t, both("commit: delete from rings where year = 30", "committed: delete from rings where year = 30")...)
		_, err = s.pool.Exec(ctx, "with gone as (delete from rings where year = $1 returning year) select year from gone", 31)
		require.NoError(t, err)
		once(t)
	})

	t.Run("a rollback, and a transaction that has failed, commit nothing", func(t *testing.T) {
		enough := errors.New("enough")
		require.ErrorIs(t, pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, insert, 40)
			require.NoError(t, err)
			return enough
		}), enough)
		none(t)
		require.Error(t, pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, insert, 1)
			require.Error(t, err)
			return nil // and so it commits, it thinks
		}))
		none(t)
		require.NoError(t, pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, insert, 41)
			require.NoError(t, err)
			return pgx.BeginFunc(ctx, tx, func(inner pgx.Tx) error { // a savepoint
				_, err := inner.Exec(ctx, insert, 42)
				return err
			})
		}))
		once(t)
	})

	t.Run("words in quotes and comments are none", func(t *testing.T) {
		_, err := s.pool.Exec(ctx, `select 'insert', "delete" /* update; */ from (select 1 as "delete") x -- commit`)
		require.NoError(t, err)
		none(t)
	})

	t.Run("copy", func(t *testing.T) {
		_, err := s.pool.CopyFrom(ctx, pgx.Identifier{"rings"}, []string{"year"},
			pgx.CopyFromSlice(50_000, func(i int) ([]any, error) { return []any{1000 + i}, nil }))
		require.NoError(t, err)
		once(t)
		var rows, sum int
		require.NoError(t, s.pool.QueryRow(ctx, "select count(*), sum(year) from rings where year >= 1000").Scan(&rows, &sum))
		require.Equal(t, 50_000, rows)
		require.Equal(t, 50_000*(1000+50_999)/2, sum)
		none(t)
	})

	t.Run("a notification and a cancelled query", func(t *testing.T) {
		conn, err := s.pool.Acquire(ctx)
		require.NoError(t, err)
		defer conn.Release()
		_, err = conn.Exec(ctx, "listen leaves")
		require.NoError(t, err)
		_, err = s.direct.Exec(ctx, "select pg_notify('leaves', 'fall')")
		require.NoError(t, err)
		heard, err := conn.Conn().WaitForNotification(ctx)
		require.NoError(t, err)
		require.Equal(t, "fall", heard.Payload)

		ended := time.AfterFunc(100*time.Millisecond, func() { _ = conn.Conn().PgConn().CancelRequest(context.Background()) })
		defer ended.Stop()
		_, err = conn.Exec(ctx, "select pg_sleep(30)")
		require.ErrorContains(t, err, "57014")
		require.NoError(t, conn.Ping(ctx))
		require.Empty(t, seen.take())
		require.Zero(t, s.proxy.Unread())
	})
}

func kinds(moments []wire.Moment) []wire.Kind {
	var all []wire.Kind
	for _, m := range moments {
		all = append(all, m.Kind)
	}
	return all
}

// A crash before a commit leaves nothing; one behind it leaves all, and a client that does not know.
func TestPostgresCuts(t *testing.T) {
	s := newShelf(t)
	year := 0
	for _, way := range []struct {
		name string
		run  func(context.Context, int) error
	}{
		{"transaction", func(ctx context.Context, year int) error {
			return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
				_, err := tx.Exec(ctx, insert, year)
				return err
			})
		}},
		{"batch", func(ctx context.Context, year int) error {
			var b pgx.Batch
			b.Queue(insert, year)
			return s.pool.SendBatch(ctx, &b).Close()
		}},
		{"statement", func(ctx context.Context, year int) error {
			_, err := s.pool.Exec(ctx, insert, year)
			return err
		}},
	} {
		for _, at := range []struct {
			kind  wire.Kind
			phase wire.Phase
			stays bool
			err   bool
		}{
			{wire.Commit, wire.Before, false, true},
			{wire.Commit, wire.After, true, true},
			{wire.Committed, wire.Before, true, true},
			{wire.Committed, wire.After, true, false},
		} {
			t.Run(way.name+" "+at.phase.String()+" "+at.kind.String(), func(t *testing.T) {
				for range 3 {
					year++
					s.proxy.Watch(nil)
					s.proxy.SetFault(wire.Fault{})
					require.Eventually(t, func() bool { return s.pool.Ping(t.Context()) == nil }, 5*time.Second, time.Millisecond)
					watch(s.proxy, func(m wire.Moment) {
						switch {
						case m.Kind != at.kind || m.Phase != at.phase:
						case !at.err:
							s.proxy.CutConn(m.Conn)
						default:
							time.Sleep(5 * time.Millisecond) // the answer, if there is one, is there
							// Not only cut: pgx would send a cancel request by another connection, which may still be
							// in time.
							s.proxy.SetFault(wire.Fault{Refuse: true})
						}
					})
					err := way.run(t.Context(), year)
					if at.err {
						require.Error(t, err)
					}
					if at.stays {
						require.Eventually(t, func() bool { return slices.Contains(s.years(t), year) }, 5*time.Second, time.Millisecond)
					} else {
						require.Eventually(t, func() bool { return s.idle(t) }, 5*time.Second, time.Millisecond)
						require.NotContains(t, s.years(t), year)
					}
				}
			})
		}
	}
}

// idle reports whether the sessions by way of the proxy are gone.
func (s *shelf) idle(t *testing.T) bool {
	t.Helper()
	var n int
	require.NoError(t, s.direct.QueryRow(t.Context(), `
		select count(*)
		from pg_stat_activity
		where datname = current_database() and application_name = 'orders'`).Scan(&n))
	return n == 0
}

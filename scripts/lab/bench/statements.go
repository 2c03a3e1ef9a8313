package bench

import (
	"context"
	"fmt"
	"net/url"

	"github.com/jackc/pgx/v5"

	"banyan/internal/postgres"
	"banyan/scripts/lab/up"
)

// sqlCount is what one role had PostgreSQL do.
type sqlCount struct {
	statements int64 // begin, commit and rollback aside
	control    int64 // begin, commit and rollback
	rows       int64
	wal        int64 // bytes that its statements wrote; the records of the commits are not among them
}

func (c sqlCount) minus(o sqlCount) sqlCount {
	return sqlCount{
		max(c.statements-o.statements, 0), max(c.control-o.control, 0), max(c.rows-o.rows, 0), max(c.wal-o.wal, 0),
	}
}

func (c sqlCount) plus(o sqlCount) sqlCount {
	return sqlCount{c.statements + o.statements, c.control + o.control, c.rows + o.rows, c.wal + o.wal}
}

// serverCount is what the whole server did. The sides take turns, so what happens in a round is one side's.
type serverCount struct {
	wal    int64 // bytes of the log
	writes int64 // transactions that wrote something
}

// benchName is how the benchmark's own connections are told from the shop's.
const benchName = "lab bench"

// connectAs opens a connection of the benchmark's own to a database of the lab's server, as its superuser.
func connectAs(ctx context.Context, state *up.State, database string) (*pgx.Conn, error) {
	var admin string
	for _, name := range []string{up.Monolith, up.Services} {
		if admin == "" {
			admin = state.Databases[name]
		}
	}
	location, err := url.Parse(admin)
	if err != nil || admin == "" {
		return nil, fmt.Errorf("the lab does not tell where its databases are") // the cause would show the password
	}
	if database != "" {
		location.Path = "/" + database
	}
	query := location.Query()
	query.Set("application_name", benchName)
	location.RawQuery = query.Encode()
	conn, err := postgres.Connect(ctx, location.String())
	if err != nil {
		return nil, fmt.Errorf("connect to PostgreSQL as its superuser: %w", err)
	}
	return conn, nil
}

// openStatements connects to where the lab makes the server's statement counters readable; nil if there are none.
func openStatements(ctx context.Context, state *up.State) (*pgx.Conn, error) {
	conn, err := connectAs(ctx, state, "postgres")
	if err != nil {
		return nil, err
	}
	var there bool
	err = conn.QueryRow(ctx, `
		select exists (select from pg_extension where extname = 'pg_stat_statements')
			and current_setting('shared_preload_libraries') like '%pg_stat_statements%'`).Scan(&there)
	if err != nil || !there {
		_ = conn.Close(ctx)
		return nil, err
	}
	return conn, nil
}

// readStatements sums the counters up by role, and adds those of the whole server.
func readStatements(ctx context.Context, conn *pgx.Conn) (map[string]sqlCount, serverCount, error) {
	var server serverCount
	rows, err := conn.Query(ctx, `
		select r.rolname,
			coalesce(sum(s.calls) filter (where s.query !~* '^\s*(begin|commit|rollback)'), 0)::bigint,
			coalesce(sum(s.calls) filter (where s.query ~* '^\s*(begin|commit|rollback)'), 0)::bigint,
			coalesce(sum(s.rows), 0)::bigint,
			coalesce(sum(s.wal_bytes), 0)::bigint
		from pg_stat_statements s
		join pg_roles r on r.oid = s.userid
		where r.rolname like '%\_app'
		group by r.rolname`)
	if err != nil {
		return nil, server, fmt.Errorf("read PostgreSQL's statement counters: %w", err)
	}
	counts := map[string]sqlCount{}
	var role string
	var c sqlCount
	_, err = pgx.ForEachRow(rows, []any{&role, &c.statements, &c.control, &c.rows, &c.wal}, func() error {
		counts[role] = c
		return nil
	})
	if err != nil {
		return nil, server, fmt.Errorf("read PostgreSQL's statement counters: %w", err)
	}
	// A transaction that only reads takes no number.
	err = conn.QueryRow(ctx, `
		select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint, pg_snapshot_xmax(pg_current_snapshot())::text::bigint`).
		Scan(&server.wal, &server.writes)
	if err != nil {
		return nil, server, fmt.Errorf("read how much PostgreSQL has written: %w", err)
	}
	return counts, server, nil
}

// readTransactions is how many transactions each side's database has committed. The server's processes tell up to a second
// late, and up to ten seconds when they fall idle, so this is good for minutes and not for seconds.
func readTransactions(ctx context.Context, conn *pgx.Conn) (map[string]int64, error) {
	counts := map[string]int64{}
	if conn == nil {
		return counts, nil
	}
	rows, err := conn.Query(ctx, `select datname, xact_commit from pg_stat_database where datname = any($1)`,
		[]string{up.Monolith, up.Services})
	if err != nil {
		return nil, fmt.Errorf("read how many transactions PostgreSQL has committed: %w", err)
	}
	var database string
	var commits int64
	_, err = pgx.ForEachRow(rows, []any{&database, &commits}, func() error {
		counts[database] = commits
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read how many transactions PostgreSQL has committed: %w", err)
	}
	return counts, nil
}

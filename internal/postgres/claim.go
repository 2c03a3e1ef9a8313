package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrClaimed means that somebody else has claimed the server.
var ErrClaimed = errors.New("the server is in use")

// claimKey is the advisory lock of a claim, in the database postgres.
const claimKey = 0x636c61696d // "claim"

// Claim keeps others from setting the passwords of a server's roles, which belong to the whole server, as long as the
// returned connection is open. A shared claim keeps out only one that is not. The URL leads to the database postgres;
// who says to the others whose the claim is. The error is ErrClaimed if another one has held on for a second: that is
// how long the server may need to notice that a process was killed.
func Claim(ctx context.Context, url, who string, shared bool) (*pgx.Conn, error) {
	config, err := ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.ConnectTimeout = 5 * time.Second
	config.RuntimeParams["application_name"] = who
	// It says nothing for hours; and when its machine is gone, the server is to notice.
	config.RuntimeParams["idle_session_timeout"] = "0"
	config.RuntimeParams["tcp_keepalives_idle"] = "10"
	config.RuntimeParams["tcp_keepalives_interval"] = "5"
	config.RuntimeParams["tcp_keepalives_count"] = "3"
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("reach PostgreSQL: %w", err)
	}
	take := `select pg_try_advisory_lock($1)`
	if shared {
		take = `select pg_try_advisory_lock_shared($1)`
	}
	for deadline := time.Now().Add(time.Second); ; time.Sleep(50 * time.Millisecond) {
		var taken bool
		if err = conn.QueryRow(ctx, take, claimKey).Scan(&taken); err == nil && taken {
			return conn, nil
		}
		if err != nil || time.Now().After(deadline) {
			break
		}
	}
	if err == nil {
		err = claimedBy(ctx, conn)
	}
	_ = conn.Close(context.WithoutCancel(ctx))
	return nil, err
}

// claimedBy is ErrClaimed with what the server knows of the other.
func claimedBy(ctx context.Context, conn *pgx.Conn) error {
	var who string
	err := conn.QueryRow(ctx, `
		select coalesce(max(format('%s, since %s', application_name, to_char(backend_start, 'HH24:MI "on" YYYY-MM-DD'))), 'somebody')
		from pg_locks
		join pg_stat_activity using (pid)
		where locktype = 'advisory' and granted
			and database = (select oid from pg_database where datname = current_database())
			and classid::bigint << 32 | objid::bigint = $1`, claimKey).Scan(&who)
	if err != nil {
		return fmt.Errorf("ask who uses the server: %w", err)
	}
	return fmt.Errorf("%w: by %s", ErrClaimed, who)
}

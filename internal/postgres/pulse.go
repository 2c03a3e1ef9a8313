package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"
)

// partTime is for how long the server is told that a connection ends.
const partTime = time.Second

// Pulse asks whether the server of a pool answers, on a connection of its own. The
// pool's would have to be waited for when all of them are busy: then a process that
// works as hard as it can would look like one without a database, and be taken
// away when it is needed most. It keeps the connection, for a server that is
// full would refuse a new one at the same moment.
type Pulse struct {
	config *pgx.ConnConfig
	turn   chan struct{} // holds a value while somebody uses conn
	conn   *pgx.Conn     // nil until it is needed
}

// NewPulse asks the server that the pool uses. It connects when it is first asked.
func NewPulse(pool *pgxpool.Pool) *Pulse {
	config := pool.Config().ConnConfig
	// Nobody waits for a late answer, as they do for the pool's statements.
	config.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.DeadlineContextWatcherHandler{Conn: conn.Conn()}
	}
	return &Pulse{config: config, turn: make(chan struct{}, 1)}
}

// Check returns nil if the server answers before ctx ends.
func (p *Pulse) Check(ctx context.Context) error {
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return fmt.Errorf("wait for an earlier question to PostgreSQL: %w", ctx.Err())
	}
	if p.conn != nil {
		if p.conn.Ping(ctx) == nil {
			return nil
		}
		// The server may have closed it, and be back since: a new one tells.
		_ = p.conn.Close(ctx)
		p.conn = nil
	}
	conn, err := pgx.ConnectConfig(ctx, p.config)
	if err != nil {
		return fmt.Errorf("reach PostgreSQL: %w", err)
	}
	p.conn = conn
	return conn.Ping(ctx)
}

// Close gives the connection back. Check must not be called after it.
func (p *Pulse) Close() {
	p.turn <- struct{}{}
	defer func() { <-p.turn }()
	if p.conn != nil {
		ctx, cancel := context.WithTimeout(context.Background(), partTime)
		defer cancel()
		_ = p.conn.Close(ctx)
		p.conn = nil
	}
}

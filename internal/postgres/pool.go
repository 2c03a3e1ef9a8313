package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	pgxuuid "github.com/vgarvardt/pgx-google-uuid/v5"
)

// Querier is what a pool, a connection and a transaction have in common.
type Querier interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// Options of a pool. The zero value is a good one for two cores: 8 to 16
// connections saturate them, more only wait for each other.
type Options struct {
	MaxConns int32         // 16 if zero
	IdleTime time.Duration // an idle connection is closed after this; 1 min if zero
}

// Open makes a pool and checks that the server answers. The error names the
// server and the user, never the password.
func Open(ctx context.Context, url string, o Options) (*pgxpool.Pool, error) {
	cfg, err := ParsePoolConfig(url)
	if err != nil {
		return nil, err
	}
	cfg.MaxConns = 16
	if o.MaxConns > 0 {
		cfg.MaxConns = o.MaxConns
	}
	cfg.MaxConnIdleTime = time.Minute
	if o.IdleTime > 0 {
		cfg.MaxConnIdleTime = o.IdleTime
	}
	cfg.HealthCheckPeriod = 15 * time.Second
	cfg.ConnConfig.ConnectTimeout = 5 * time.Second
	cfg.ConnConfig.BuildContextWatcherHandler = letFinish
	cfg.AfterConnect = func(_ context.Context, c *pgx.Conn) error {
		// uuid.UUID in the binary format: through its text, each takes 20 times as long.
		pgxuuid.Register(c.TypeMap())
		// Times are UTC wherever the process runs.
		c.TypeMap().RegisterType(&pgtype.Type{
			Name: "timestamptz", OID: pgtype.TimestamptzOID,
			Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
		})
		return nil
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open a pool: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		c := cfg.ConnConfig
		return nil, fmt.Errorf("reach PostgreSQL at %s:%d, database %s, as %s: %w", c.Host, c.Port, c.Database, c.User, err)
	}
	return pool, nil
}

// letFinish lets a connection outlive a request that is given up in the middle of
// a statement. By default the driver closes it. To make a new one costs the server
// more than most statements do, so when it is busy and many give up, soon nobody has a
// connection that is not new: lab chaos saw a fault of 4 s go on for minutes like
// that. So the statement gets a moment to end, is then cancelled, and only a server
// that does not even answer to that loses the connection.
func letFinish(conn *pgconn.PgConn) ctxwatch.Handler {
	return &pgconn.CancelRequestContextWatcherHandler{
		Conn: conn, CancelRequestDelay: time.Second, DeadlineDelay: 3 * time.Second,
	}
}

// unreadable says why a database URL cannot be read, without the URL. The driver
// quotes it and hides the password in it as well as it can, which is not always.
func unreadable(err error) error {
	reason := err.Error()
	if i := strings.LastIndex(reason, "`: "); i >= 0 {
		reason = reason[i+len("`: "):]
	}
	return fmt.Errorf("read the database URL: %s; it has to look like postgres://user:password@host:5432/database", reason)
}

// Exec sends the queued statements in one round trip and one transaction, and
// returns the first error. Nothing of the batch is kept if there is one.
func Exec(ctx context.Context, q Querier, b *pgx.Batch) error {
	return q.SendBatch(ctx, b).Close()
}

// ExecWithin is Exec for an answer that has to come in time: it returns when ctx
// ends. Exec itself returns up to three seconds later, when the statement that it
// gave up has ended or the connection is lost (letFinish). What ExecWithin left
// may be kept or not, so its caller can't read what the batch was to fill in.
func ExecWithin(ctx context.Context, q Querier, b *pgx.Batch) error {
	done := make(chan error, 1)
	go func() { done <- Exec(ctx, q, b) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ExecOnce is ExecWithin for a batch that is sent or not sent, and nothing between
// the two: ctx decides until there is a connection. From then on only its deadline
// counts, so that a client that goes away does not leave the outcome open.
func ExecOnce(ctx context.Context, pool *pgxpool.Pool, b *pgx.Batch) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	sending := context.WithoutCancel(ctx)
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		sending, cancel = context.WithDeadline(sending, deadline)
		defer cancel()
	}
	done := make(chan error, 1)
	go func() {
		defer conn.Release()
		done <- Exec(sending, conn, b)
	}()
	select {
	case err := <-done:
		return err
	case <-sending.Done():
		return sending.Err()
	}
}

// UniqueViolation reports whether err comes from this unique constraint or
// index; an empty name means any.
func UniqueViolation(err error, constraint string) bool { return violation(err, "23505", constraint) }

// CheckViolation reports whether err comes from this check constraint; an empty
// name means any.
func CheckViolation(err error, constraint string) bool { return violation(err, "23514", constraint) }

// ForeignKeyViolation reports whether err comes from this foreign key; an empty
// name means any.
func ForeignKeyViolation(err error, constraint string) bool {
	return violation(err, "23503", constraint)
}

// NotNullViolation reports whether err comes from a null in this column of this table.
func NotNullViolation(err error, table, column string) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "23502" && e.TableName == table && e.ColumnName == column
}

// Unstorable reports whether the database would refuse the same values every
// time: a text that its encoding does not have, a number out of range (class 22),
// a constraint (class 23), or something that the driver cannot even send. It is for
// callers without an explanation of their own; a constraint may also mean that
// something is still to come.
func Unstorable(err error) bool {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return strings.HasPrefix(e.Code, "22") || strings.HasPrefix(e.Code, "23")
	}
	// The driver has no type for it, only these words; a test holds them to it.
	return err != nil && strings.Contains(err.Error(), "failed to encode args[")
}

// Retryable reports whether the transaction was rolled back only because of
// others: a deadlock or a serialization failure. Trying it again is right.
func Retryable(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == "40P01" || e.Code == "40001")
}

func violation(err error, code, constraint string) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == code && (constraint == "" || e.ConstraintName == constraint)
}

// Unavailable reports whether the server could not be asked, or is going down
// or too busy, so that the same question may be answered a little later.
func Unavailable(err error) bool {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		switch e.Code {
		case "57P01", "57P02", "57P03", // shutting down, crashed, starting up
			"53300",          // too many connections
			"53100",          // no room on its disk
			"57014", "55P03", // statement or lock timeout
			"25P03", "25P04", "57P05": // the session stood still for too long: this process was stopped
			return true
		}
		return false
	}
	var c *pgconn.ConnectError
	var broken *net.OpError // a connection that was reset in the middle of an answer
	return errors.As(err, &c) || errors.As(err, &broken) || pgconn.SafeToRetry(err) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}

package events

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
)

// The relay's time limits.
const (
	ackWait     = 5 * time.Second       // for the acknowledgements of one batch
	stepTimeout = 10 * time.Second      // for anything else it asks of a server
	lastLook    = 3 * time.Second       // for what it still publishes after it was asked to stop
	firstRetry  = 50 * time.Millisecond // after a failure
	lastRetry   = 2 * time.Second       // after many
	sweepEvery  = time.Minute           // between two looks for rows to delete
	silence     = 10 * time.Second      // after which PostgreSQL ends the session of a relay that stands still
	notifyPause = 1 * time.Millisecond  // between two notifications
	markPause   = 20 * time.Millisecond // of marks that wait for the next event
	lookEvery   = 60                    // polls between two looks at what the stream has lost
)

// errReconnected ends a session: what the broker has must be compared again.
var errReconnected = errors.New("the connection to NATS is not the one that was compared with")

// RelayConfig is what a relay needs. Poll and Retention may be left zero.
type RelayConfig struct {
	Pool      *pgxpool.Pool                 // where the outbox is; the relay opens one connection of its own besides
	NATS      *nats.Conn                    // made by Connect: without reconnect buffering
	Area      func(eventType string) string // of the subject; see Only
	Source    string                        // what the events say they come from: the process
	Log       *slog.Logger
	Metrics   prometheus.Registerer
	Poll      time.Duration // between two looks at the outbox when nobody calls Wake; 1 s if zero
	Retention time.Duration // how long published rows are kept; 24 h if zero
}

// Only is for an outbox whose events are all of one area, as a service's are. A
// monolith's outbox serves several.
func Only(area string) func(eventType string) string {
	return func(string) string { return area }
}

// Relay publishes the outbox of one schema. Each instance of a service runs
// one; an advisory lock lets one of them work while the others stand by.
type Relay struct {
	pool      *pgxpool.Pool
	nats      *nats.Conn
	area      func(eventType string) string
	source    string
	log       *slog.Logger
	poll      time.Duration
	retention time.Duration

	working atomic.Bool   // this instance holds the lock
	wake    chan struct{} // something was committed, and this instance's relay works
	notify  chan struct{} // something was committed, and another's does
	metrics *relayMetrics
}

// NewRelay makes a relay and registers its metrics. Start it with Run.
func NewRelay(c RelayConfig) *Relay {
	r := &Relay{
		pool: c.Pool, nats: c.NATS, area: c.Area, source: c.Source,
		log:       c.Log.With("component", "relay"),
		poll:      time.Second,
		retention: outboxRetention,
		wake:      make(chan struct{}, 1),
		notify:    make(chan struct{}, 1),
	}
	if c.Poll > 0 {
		r.poll = c.Poll
	}
	if c.Retention > 0 {
		r.retention = c.Retention
	}
	r.metrics = newRelayMetrics(c.Metrics, c.Pool)
	return r
}

// Run publishes until ctx ends, then until it finds its outbox empty, and returns
// nil. It outlives every failure of the database and of the broker.
//
// The last look takes 3 s at most. An instance that does not hold the lock has none,
// and it ends at once when the broker is not connected: what is left waits for another
// instance, or for the next start.
//
// Whatever goes wrong, the session ends, and the lock with it: another instance
// may have the better connection. The next session starts by comparing.
func (r *Relay) Run(ctx context.Context) error {
	js, err := jetstream.New(r.nats, jetstream.WithPublishAsyncTimeout(ackWait))
	if err != nil {
		return fmt.Errorf("relay of %s: %w", r.source, err)
	}
	defer js.CleanupPublisher()
	var others sync.WaitGroup
	others.Go(func() { r.notifyOthers(ctx) })
	defer others.Wait()
	last, cancel := r.outlive(ctx)
	defer cancel()

	state := &health{log: r.log, what: "publishing"}
	for failures := uint64(0); ctx.Err() == nil; {
		began := time.Now()
		err := r.session(ctx, last, js, state)
		if ctx.Err() != nil {
			break
		}
		if !errors.Is(err, errReconnected) {
			state.failed(ctx, explain(err))
		}
		if time.Since(began) > silence {
			failures = 0
		}
		failures++
		sleep(ctx, backoff(failures, firstRetry, lastRetry))
	}
	return nil
}

// outlive returns a context for what is done after ctx has ended. It ends lastLook
// later, or as soon as the broker is not connected: acknowledgements that are lost with
// a connection would be waited for in vain.
func (r *Relay) outlive(ctx context.Context) (context.Context, context.CancelFunc) {
	last, cancel := context.WithCancel(context.WithoutCancel(ctx))
	unfollow := context.AfterFunc(ctx, func() {
		defer cancel()
		lost := r.nats.StatusChanged(nats.DISCONNECTED, nats.RECONNECTING, nats.CLOSED)
		defer r.nats.RemoveStatusListener(lost)
		if !r.nats.IsConnected() {
			return
		}
		select {
		case <-lost:
		case <-time.After(lastLook):
		case <-last.Done():
		}
	})
	return last, func() { unfollow(); cancel() }
}

// session is one life of the relay's own connection: wait for the lock, compare
// with the stream, publish until something fails or ctx ends. From the lock on, what it
// has begun ends with last: a statement that ctx breaks off would take the connection
// with it, and the last look.
func (r *Relay) session(ctx, last context.Context, js jetstream.JetStream, state *health) error {
	if !r.nats.IsConnected() {
		return nats.ErrDisconnected
	}
	conn, schema, err := r.connect(ctx)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(ctx) // gives the lock back, whether or not it can say goodbye
	}()
	if err := r.awaitLock(ctx, conn, schema); err != nil {
		return err
	}
	r.working.Store(true)
	defer r.working.Store(false)

	s := &publisher{relay: r, conn: conn, js: js, state: state, epoch: r.nats.Stats().Reconnects}
	if err := s.compare(last); err != nil {
		return err
	}
	for {
		stopping := ctx.Err() != nil // and all that was to be published is committed
		if err := s.publish(ctx, last); err != nil || stopping {
			return err
		}
		r.idle(ctx, conn)
	}
}

// connect opens the connection that holds the lock, hears the notifications and
// makes the marks. It is not one of the pool's: it stays busy, and the settings
// are its own.
func (r *Relay) connect(ctx context.Context) (conn *pgx.Conn, schema string, err error) {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	config := r.pool.Config().ConnConfig
	// It waits for notifications, which end with their context and have nothing to be
	// let finish.
	config.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.DeadlineContextWatcherHandler{Conn: conn.Conn()}
	}
	config.RuntimeParams["application_name"] = r.source + " relay"
	// A mark that a crash of the database loses is made again, after an event
	// that the consumers know already. It need not wait for the disk.
	config.RuntimeParams["synchronous_commit"] = "off"
	// A process that is stopped, not dead, keeps its connections, and its lock.
	// Not for longer than this: then the lock is free, and what it wanted to
	// mark it cannot mark any more.
	config.RuntimeParams["idle_session_timeout"] = fmt.Sprint((silence + 2*r.poll).Milliseconds())
	conn, err = pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, "", fmt.Errorf("connect the relay of %s: %w", r.source, err)
	}
	// Notifications belong to the database; their names carry the schema.
	err = conn.QueryRow(ctx, `select current_schema()`).Scan(&schema)
	if err == nil {
		_, err = conn.Exec(ctx, "listen "+pgx.Identifier{"outbox_" + schema}.Sanitize())
	}
	if err != nil {
		_ = conn.Close(ctx)
		return nil, "", fmt.Errorf("listen to the outbox of %s: %w", r.source, err)
	}
	return conn, schema, nil
}

// awaitLock returns once this connection holds the schema's relay lock. It
// asks again and again instead of waiting inside PostgreSQL, where it would be
// an old transaction that keeps vacuum from cleaning up.
func (r *Relay) awaitLock(ctx context.Context, conn *pgx.Conn, schema string) error {
	for {
		var held bool
		err := conn.QueryRow(ctx, `select pg_try_advisory_lock(hashtext('outbox'), hashtext($1))`, schema).Scan(&held)
		if err != nil {
			return fmt.Errorf("take the relay lock of %s: %w", r.source, err)
		}
		if held {
			return nil
		}
		sleep(ctx, r.poll)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

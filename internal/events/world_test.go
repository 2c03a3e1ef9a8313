package events_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	_ "embed"

	"banyan/internal/events"
	"banyan/internal/testdb"
	"banyan/migrations"
)

//go:embed schema.sql
var schema string

// A test's producer lives in schema catalog, its consumer in schema orders.
// What the handlers do is a row in effects; what they may need is one in causes.
func history(t testing.TB) fstest.MapFS {
	bootstrap, err := migrations.FS.ReadFile("bootstrap.sql")
	require.NoError(t, err)
	return fstest.MapFS{
		"bootstrap.sql":             {Data: bootstrap},
		"catalog/00001_events.sql":  {Data: []byte(schema)},
		"orders/00001_events.sql":   {Data: []byte(schema)},
		"orders/00002_effects.sql":  {Data: []byte("-- +goose Up\ncreate table effects (event_id uuid, text text not null, trace text);")},
		"orders/00003_causes.sql":   {Data: []byte("-- +goose Up\ncreate table causes (text text);")},
		"orders/00004_numbers.sql":  {Data: []byte("-- +goose Up\ncreate table numbers (n integer not null check (n >= 0) unique deferrable initially deferred);")},
		"catalog/00002_changes.sql": {Data: []byte("-- +goose Up\ncreate table changes (text text);")},
	}
}

// world is a producer's schema, a consumer's schema, and a broker between them.
type world struct {
	t        testing.TB
	db       *testdb.DB
	producer *pgxpool.Pool
	consumer *pgxpool.Pool
	url      string // the broker's
	js       jetstream.JetStream
}

func newWorld(t testing.TB, brokerURL string) *world {
	t.Helper()
	db := testdb.New(t, history(t))
	return &world{t: t, db: db, producer: db.Pool("catalog_app"), consumer: db.Pool("orders_app"), url: brokerURL}
}

// provisioned is a world whose broker runs and has the stream.
func provisioned(t testing.TB) *world {
	t.Helper()
	w := newWorld(t, testdb.NATS(t))
	require.NoError(t, events.Provision(t.Context(), w.admin()))
	return w
}

func (w *world) connect(name string) *nats.Conn {
	w.t.Helper()
	nc, err := events.Connect(w.t.Context(), w.url, name, quiet(w.t))
	require.NoError(w.t, err)
	w.t.Cleanup(nc.Close)
	return nc
}

// admin is the broker as the test itself sees it.
func (w *world) admin() jetstream.JetStream {
	w.t.Helper()
	if w.js == nil {
		var err error
		w.js, err = jetstream.New(w.connect("admin"))
		require.NoError(w.t, err)
	}
	return w.js
}

// background is a relay's or a consumer's Run.
type background struct {
	nats *nats.Conn
	stop func() // ends it and waits; the test fails unless Run returns nil
}

func (w *world) run(nc *nats.Conn, run func(context.Context) error) background {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			require.NoError(w.t, err)
		case <-time.After(15 * time.Second):
			require.Fail(w.t, "Run did not return")
		}
	})
	w.t.Cleanup(stop)
	return background{nc, stop}
}

// relay runs a relay of the producer's outbox, in an instance of that name.
func (w *world) relay(instance string, change ...func(*events.RelayConfig)) (*events.Relay, background) {
	w.t.Helper()
	nc := w.connect(instance)
	config := events.RelayConfig{
		Pool: w.producer, NATS: nc, Area: events.Only("catalog"), Source: instance,
		Log: quiet(w.t), Metrics: prometheus.NewRegistry(), Poll: 100 * time.Millisecond,
	}
	for _, c := range change {
		c(&config)
	}
	r := events.NewRelay(config)
	return r, w.run(nc, r.Run)
}

// note is the data of the events in these tests.
type note struct {
	Text string `json:"text"`
}

// handle is a handler of notes.
type handle = func(ctx context.Context, tx pgx.Tx, e events.Event, data note) error

// consume runs a consumer with this handler for note.taken.
func (w *world) consume(h handle, change ...func(*events.ConsumerConfig)) (background, *prometheus.Registry) {
	w.t.Helper()
	return w.consumeBy(func(c *events.Consumer) { events.On(c, "note.taken", h) }, change...)
}

// consumeQueued does so with a handler that only queues.
func (w *world) consumeQueued(queue func(ctx context.Context, b *pgx.Batch, e events.Event, data note) error) *prometheus.Registry {
	w.t.Helper()
	_, metrics := w.consumeBy(func(c *events.Consumer) { events.OnQueued(c, "note.taken", queue) })
	return metrics
}

func (w *world) consumeBy(register func(*events.Consumer), change ...func(*events.ConsumerConfig)) (background, *prometheus.Registry) {
	w.t.Helper()
	metrics := prometheus.NewRegistry()
	config := events.ConsumerConfig{
		Name: "orders", Pool: w.consumer, Log: quiet(w.t), Metrics: metrics, Poll: 50 * time.Millisecond,
	}
	for _, c := range change {
		c(&config)
	}
	if config.NATS == nil {
		config.NATS = w.connect("orders")
	}
	c := events.NewConsumer(config)
	register(c)
	return w.run(config.NATS, c.Run), metrics
}

// write is the plain handler: one row per event.
func write(ctx context.Context, tx pgx.Tx, e events.Event, data note) error {
	_, err := tx.Exec(ctx, `insert into effects (event_id, text, trace) values ($1, $2, $3)`, e.ID, data.Text, e.Trace)
	return err
}

// emit commits one note per text.
func (w *world) emit(texts ...string) {
	w.t.Helper()
	require.NoError(w.t, pgx.BeginFunc(w.t.Context(), w.producer, func(tx pgx.Tx) error {
		for _, text := range texts {
			if err := events.Emit(w.t.Context(), tx, "note.taken", note{text}); err != nil {
				return err
			}
		}
		return nil
	}))
}

// send puts a message on the stream as it is, without outbox and relay.
func (w *world) send(js jetstream.JetStream, header map[string]string, body string) {
	w.t.Helper()
	h := nats.Header{}
	for k, v := range header {
		h[k] = []string{v}
	}
	_, err := js.PublishMsg(w.t.Context(), &nats.Msg{Subject: "events.catalog.note.taken", Header: h, Data: []byte(body)})
	require.NoError(w.t, err)
}

// headers are those of a note.
func headers(id uuid.UUID) map[string]string {
	return map[string]string{
		"ce-specversion": "1.0", "ce-id": id.String(), "ce-type": "note.taken",
		"ce-source": "test", "ce-time": "2026-01-02T03:04:05Z",
	}
}

// texts of all effects, in order.
func (w *world) effects() []string {
	return w.column(w.consumer, `select text from effects order by text`)
}

func (w *world) column(pool *pgxpool.Pool, sql string) []string {
	rows, err := pool.Query(w.t.Context(), sql)
	require.NoError(w.t, err)
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(w.t, err)
	return all
}

// number is the result of a query that counts.
func (w *world) number(pool *pgxpool.Pool, sql string, args ...any) (n int) {
	require.NoError(w.t, pool.QueryRow(w.t.Context(), sql, args...).Scan(&n))
	return n
}

// published are the texts on the stream, as often as they are there.
func (w *world) published(js jetstream.JetStream) (texts []string) {
	w.t.Helper()
	stream, err := js.Stream(w.t.Context(), events.Stream)
	require.NoError(w.t, err)
	for seq := uint64(1); seq <= stream.CachedInfo().State.LastSeq; seq++ {
		msg, err := stream.GetMsg(w.t.Context(), seq)
		require.NoError(w.t, err)
		texts = append(texts, string(msg.Data))
	}
	return texts
}

// soon waits until what has to come true is true.
func soon(t testing.TB, check func() bool, what string, args ...any) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !check(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			require.Failf(t, "did not come true in 10 s", what, args...)
		}
	}
}

// still checks that nothing changes for a while.
func still(t testing.TB, check func() bool, what string) {
	t.Helper()
	for end := time.Now().Add(300 * time.Millisecond); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		require.True(t, check(), what)
	}
}

func metric(t testing.TB, r *prometheus.Registry, name string) (sum float64) {
	t.Helper()
	families, err := r.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return sum
}

// logbook is a log that a test can read.
type logbook struct {
	t     testing.TB
	mu    sync.Mutex
	lines []string
}

func (l *logbook) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, string(line))
	return l.t.Output().Write(line)
}

func (l *logbook) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// count is how many lines hold these words.
func (l *logbook) count(words string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.lines {
		if strings.Contains(line, words) {
			n++
		}
	}
	return n
}

// reshape changes the stream.
func (w *world) reshape(change func(*jetstream.StreamConfig)) {
	w.t.Helper()
	stream, err := w.admin().Stream(w.t.Context(), events.Stream)
	require.NoError(w.t, err)
	config := stream.CachedInfo().Config
	change(&config)
	_, err = w.admin().UpdateStream(w.t.Context(), config)
	require.NoError(w.t, err)
}

// stored is how many messages the stream has.
func (w *world) stored() int {
	w.t.Helper()
	stream, err := w.admin().Stream(w.t.Context(), events.Stream)
	require.NoError(w.t, err)
	return int(stream.CachedInfo().State.Msgs)
}

// quiet logs to the test's own output, shown only when it fails. A benchmark's
// would always be shown.
func quiet(t testing.TB) *slog.Logger {
	if _, bench := t.(*testing.B); bench {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

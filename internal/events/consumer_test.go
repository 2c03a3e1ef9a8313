package events_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"banyan/internal/events"
	"banyan/internal/fault"
	"banyan/internal/telemetry"
)

func TestConsumer(t *testing.T) {
	t.Parallel()

	t.Run("an effect happens once, however often its event comes", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		_, metrics := w.consume(write)
		js := w.admin()
		ids := []uuid.UUID{uuid.New(), uuid.New(), uuid.New()}
		for range 5 {
			for i, id := range ids {
				w.send(js, headers(id), fmt.Sprintf(`{"text":"%d"}`, i))
			}
		}
		soon(t, func() bool { return metric(t, metrics, "events_duplicates_total") == 12 }, "the others are dropped")
		require.Equal(t, []string{"0", "1", "2"}, w.effects())
		require.EqualValues(t, 3, metric(t, metrics, "events_handled_total"))
		require.EqualValues(t, 3, metric(t, metrics, "events_lag_seconds"))
	})
	t.Run("an effect happens once, though the process dies before it acknowledges", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		nc := w.connect("orders")
		first, _ := w.consume(write, func(c *events.ConsumerConfig) {
			c.NATS = nc
			c.AfterCommit = nc.Close // nothing is acknowledged any more
		})
		js := w.admin()
		for i := range 5 {
			w.send(js, headers(uuid.New()), fmt.Sprintf(`{"text":"%d"}`, i))
		}
		soon(t, func() bool { return len(w.effects()) > 0 }, "it has an effect")
		first.stop()
		// The broker would wait for half a minute before it delivers again.
		durable, err := js.Consumer(t.Context(), events.Stream, "orders")
		require.NoError(t, err)
		require.NotZero(t, durable.CachedInfo().NumAckPending)
		impatient := durable.CachedInfo().Config
		impatient.AckWait = 50 * time.Millisecond
		_, err = js.UpdateConsumer(t.Context(), events.Stream, impatient)
		require.NoError(t, err)
		time.Sleep(200 * time.Millisecond)

		_, metrics := w.consume(write)
		soon(t, func() bool {
			info, err := durable.Info(t.Context())
			return err == nil && info.NumAckPending == 0 && info.NumPending == 0
		}, "all are acknowledged")
		require.Equal(t, []string{"0", "1", "2", "3", "4"}, w.effects())
		require.NotZero(t, metric(t, metrics, "events_redelivered_total"))
		require.NotZero(t, metric(t, metrics, "events_duplicates_total"))
	})
	t.Run("what is missing is waited for, and holds up nobody", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		missing := fault.New(fault.NotFound, "no-cause", "There is no cause yet.")
		_, metrics := w.consume(func(ctx context.Context, tx pgx.Tx, e events.Event, data note) error {
			if data.Text == "effect" {
				var n int
				if err := tx.QueryRow(ctx, `select count(*) from causes`).Scan(&n); err != nil || n == 0 {
					return errors.Join(missing, err)
				}
			}
			return write(ctx, tx, e, data)
		})
		js := w.admin()
		w.send(js, headers(uuid.New()), `{"text":"effect"}`)
		for i := range 20 {
			w.send(js, headers(uuid.New()), fmt.Sprintf(`{"text":"%02d"}`, i))
		}
		soon(t, func() bool { return len(w.effects()) == 20 }, "the others are handled")
		soon(t, func() bool { return metric(t, metrics, "events_redelivered_total") >= 2 }, "it is tried again")
		_, err := w.consumer.Exec(t.Context(), `insert into causes values ('here')`)
		require.NoError(t, err)
		soon(t, func() bool { return len(w.effects()) == 21 }, "once it is there, the effect follows")
		require.Zero(t, w.number(w.consumer, `select count(*) from dead_letters`))
	})
	t.Run("a handler that panics is tried again", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		var calls atomic.Int32
		w.consume(func(ctx context.Context, tx pgx.Tx, e events.Event, data note) error {
			require.NoError(t, write(ctx, tx, e, data))
			if calls.Add(1) == 1 {
				panic("a bug")
			}
			return nil
		})
		w.send(w.admin(), headers(uuid.New()), `{"text":"a"}`)
		soon(t, func() bool { return calls.Load() == 2 && len(w.effects()) == 1 }, "the second call commits")
	})
	t.Run("nothing is lost when the database cuts its connections", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		w.consume(write)
		js := w.admin()
		for i := range 100 {
			w.send(js, headers(uuid.New()), fmt.Sprintf(`{"text":"%03d"}`, i))
			if i%25 == 10 {
				_, err := w.db.Superuser().Exec(t.Context(),
					`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'orders_app' and datname = current_database()`)
				require.NoError(t, err)
			}
		}
		soon(t, func() bool { return w.number(w.db.Superuser(), `select count(*) from orders.effects`) == 100 }, "all have their effects")
		require.Equal(t, texts(0, 100), w.effects())
	})
	t.Run("the trace goes on in the handler", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		relay, _ := w.relay("one")
		seen := make(chan string, 1)
		w.consume(func(ctx context.Context, _ pgx.Tx, _ events.Event, _ note) error {
			trace, _ := telemetry.FromContext(ctx)
			seen <- trace.ID()
			return nil
		})
		trace := telemetry.NewTrace()
		require.NoError(t, events.Emit(telemetry.WithTrace(t.Context(), trace), w.producer, "note.taken", note{}))
		relay.Wake()
		require.Equal(t, trace.ID(), <-seen)
	})
	t.Run("it is told of each commit, for the sake of what handlers emit", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		var commits atomic.Int32
		w.consume(write, func(c *events.ConsumerConfig) { c.AfterCommit = func() { commits.Add(1) } })
		w.send(w.admin(), headers(uuid.New()), `{"text":"a"}`)
		soon(t, func() bool { return commits.Load() == 1 }, "one commit")
	})
	t.Run("two instances share the work", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		w.consume(write)
		w.consume(write)
		js := w.admin()
		for i := range 100 {
			w.send(js, headers(uuid.New()), fmt.Sprintf(`{"text":"%03d"}`, i))
		}
		soon(t, func() bool { return len(w.effects()) == 100 }, "all are handled")
		require.Equal(t, texts(0, 100), w.effects())
	})
	t.Run("without handlers it says what to do", func(t *testing.T) {
		t.Parallel()
		c := events.NewConsumer(events.ConsumerConfig{Name: "orders", Log: quiet(t), Metrics: prometheus.NewRegistry()})
		require.ErrorContains(t, c.Run(t.Context()), "events.On")
	})
}

func TestConsumerWithoutBroker(t *testing.T) {
	t.Parallel()
	broker := newBroker(t)
	w := newWorld(t, broker.URL())
	require.NoError(t, events.Provision(t.Context(), w.admin()))
	broker.stop()
	running, _ := w.consume(write) // it starts all the same
	broker.start()
	soon(t, running.nats.IsConnected, "it is connected")
	js := w.admin()
	soon(t, js.Conn().IsConnected, "so is the test")
	w.send(js, headers(uuid.New()), `{"text":"a"}`)
	soon(t, func() bool { return len(w.effects()) == 1 }, "it handles events when the broker comes")

	broker.stop()
	broker.start()
	soon(t, js.Conn().IsConnected, "the test is connected again")
	w.send(js, headers(uuid.New()), `{"text":"b"}`)
	soon(t, func() bool { return len(w.effects()) == 2 }, "and when it is back")

	broker.stop()
	began := time.Now()
	running.stop()
	require.Less(t, time.Since(began), 5*time.Second, "it stops without the broker, too")
}

// Before the parallel tests, whose goroutines would count.
func TestNothingIsLeftRunning(t *testing.T) {
	w := provisioned(t)
	w.emit("a")
	before := goleak.IgnoreCurrent()
	_, relay := w.relay("one")
	consumer, _ := w.consume(write)
	soon(t, func() bool { return len(w.effects()) == 1 }, "the event has its effect")
	consumer.stop()
	relay.stop()
	relay.nats.Close()
	consumer.nats.Close()
	goleak.VerifyNone(t, before, goleak.IgnoreTopFunction("github.com/jackc/pgx/v5/pgxpool.(*Pool).backgroundHealthCheck"))
}

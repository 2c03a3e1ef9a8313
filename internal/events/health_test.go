package events_test

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"banyan/internal/events"
	"banyan/internal/fault"
	"banyan/internal/local"
)

// The log says that something works again once it has worked, and not before.
func TestWorksAgain(t *testing.T) {
	t.Parallel()

	t.Run("publishing, when a full stream has room again", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		w.reshape(func(c *jetstream.StreamConfig) { c.MaxMsgs, c.Discard = 3, jetstream.DiscardNew })
		log := &logbook{t: t}
		w.relay("one", func(c *events.RelayConfig) { c.Log = log.logger() })
		soon(t, func() bool { return log.count("relay works") == 1 }, "it works")
		w.numbered(0, 10)
		soon(t, func() bool { return log.count("publishing fails") == 1 }, "the stream is full")
		time.Sleep(2 * time.Second) // it tries several times
		require.Equal(t, 1, log.count("publishing fails"))
		require.Zero(t, log.count("works again"))
		require.Equal(t, 1, log.count("relay works"))
		w.reshape(func(c *jetstream.StreamConfig) { c.MaxMsgs = 100 })
		soon(t, func() bool { return log.count("publishing works again") == 1 && w.waiting() == 0 }, "there is room")
	})
	t.Run("consuming, when messages come again", func(t *testing.T) {
		t.Parallel()
		// This one may make its consumer, and not read from it.
		config := filepath.Join(t.TempDir(), "nats.conf")
		require.NoError(t, os.WriteFile(config, []byte(`
			jetstream: enabled
			authorization: { users: [
				{ user: admin, password: secret_of_admin }
				{ user: orders, password: secret_of_orders, permissions: { publish: { deny: "$JS.API.CONSUMER.MSG.NEXT.>" } } }
			] }`), 0o644))
		server := newBroker(t, func(o *local.NATSOptions) { o.Config = config })
		require.NoError(t, events.Provision(t.Context(), connectAs(t, server.URL(), "admin").js))
		w := newWorld(t, "")
		log := &logbook{t: t}
		w.consume(write, func(c *events.ConsumerConfig) {
			c.NATS, c.Log = connectAs(t, server.URL(), "orders").js.Conn(), log.logger()
		})
		soon(t, func() bool { return log.count("consuming fails") == 1 }, "no heartbeat comes")
		time.Sleep(5 * time.Second) // it tries again, and waits for a heartbeat again
		require.Zero(t, log.count("works again"))
		require.Equal(t, 1, log.count("consuming fails"))
	})
	t.Run("replaying, when none waits any more", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		log := &logbook{t: t}
		var state atomic.Int32 // 0 rejects, 1 misses something, 2 works
		w.consume(func(ctx context.Context, tx pgx.Tx, e events.Event, data note) error {
			switch state.Load() {
			case 0:
				return fault.New(fault.Invalid, "bad-note", "This note says nothing.")
			case 1:
				return fault.New(fault.NotFound, "", "Not here yet.")
			}
			return write(ctx, tx, e, data)
		}, func(c *events.ConsumerConfig) { c.Log = log.logger() })
		id := uuid.New()
		w.send(w.admin(), headers(id), `{"text":"later"}`)
		soon(t, func() bool { return w.number(w.consumer, `select count(*) from dead_letters`) == 1 }, "it is rejected")
		state.Store(1)
		_, err := events.Replay(t.Context(), w.consumer, id)
		require.NoError(t, err)
		soon(t, func() bool { return log.count("replaying dead letters fails") == 1 }, "it misses something")
		time.Sleep(500 * time.Millisecond) // ten looks find nothing that is due
		require.Zero(t, log.count("works again"))
		state.Store(2)
		soon(t, func() bool { return log.count("replaying dead letters works again") == 1 }, "the next try works")
	})
}

package events_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"banyan/internal/events"
)

// A relay that stops looks a last time: the process that ends may be the last one that
// may write its outbox.
func TestRelayStops(t *testing.T) {
	t.Parallel()
	const atOnce = time.Second // and not after the 3 s of a last look

	// working is a world with a broker of its own and a relay that never polls.
	working := func(t *testing.T) (*world, *broker, *events.Relay, background) {
		b := newBroker(t)
		w := newWorld(t, b.URL())
		require.NoError(t, events.Provision(t.Context(), w.admin()))
		relay, running := w.relay("one", func(c *events.RelayConfig) { c.Poll = time.Minute })
		w.emit("first")
		relay.Wake()
		soon(t, func() bool { return w.waiting() == 0 }, "it works")
		return w, b, relay, running
	}
	// stop says how long it takes.
	stop := func(running background) time.Duration {
		began := time.Now()
		running.stop()
		return time.Since(began)
	}

	t.Run("what is in the outbox is published, however many batches it takes", func(t *testing.T) {
		t.Parallel()
		w, _, _, running := working(t)
		want := []string{`{"text":"first"}`}
		var notes []string
		for i := range 1000 {
			notes = append(notes, fmt.Sprintf("%04d", i))
			want = append(want, fmt.Sprintf(`{"text":"%04d"}`, i))
		}
		w.emit(notes...) // and nobody wakes the relay
		running.stop()
		require.Zero(t, w.waiting(), "all are marked")
		require.Equal(t, want, w.published(w.admin()))
	})
	t.Run("an empty outbox takes no time", func(t *testing.T) {
		t.Parallel()
		_, _, _, running := working(t)
		require.Less(t, stop(running), atOnce)
	})
	t.Run("so does one that another instance works at", func(t *testing.T) {
		t.Parallel()
		w, b, _, _ := working(t)
		_, second := w.relay("second")
		b.pause()
		w.emit("not its own")
		require.Less(t, stop(second), atOnce)
	})
	t.Run("a broker that is away is not waited for", func(t *testing.T) {
		t.Parallel()
		w, b, _, running := working(t)
		b.stop()
		soon(t, func() bool { return !running.nats.IsConnected() }, "it is away")
		w.emit("left behind")
		require.Less(t, stop(running), atOnce)
		require.Equal(t, 1, w.waiting())
	})
	t.Run("nor is one that goes while it owes acknowledgements", func(t *testing.T) {
		t.Parallel()
		w, b, relay, running := working(t)
		onTheWay(t, w, b, relay, running.nats)
		ended := make(chan time.Duration, 1)
		go func() { ended <- stop(running) }()
		still(t, func() bool { return len(ended) == 0 }, "it waits")
		b.kill()
		require.Less(t, <-ended, 2*atOnce)
		require.Equal(t, 1, w.waiting())
	})
	t.Run("a broker that hangs is waited for, 3 s at most", func(t *testing.T) {
		t.Parallel()
		w, b, relay, running := working(t)
		onTheWay(t, w, b, relay, running.nats)
		w.emit("not even sent")
		took := stop(running)
		require.Greater(t, took, 2*time.Second)
		require.Less(t, took, 4*time.Second)
		require.Equal(t, 2, w.waiting())
		b.resume()
	})
	t.Run("a broker that hangs at the first comparison, too", func(t *testing.T) {
		t.Parallel()
		b := newBroker(t)
		w := newWorld(t, b.URL())
		require.NoError(t, events.Provision(t.Context(), w.admin()))
		var nc *nats.Conn
		_, running := w.relay("one", func(c *events.RelayConfig) { nc = c.NATS; b.pause() })
		soon(t, func() bool { return nc.Stats().OutMsgs > 0 }, "it asks for the stream")
		require.Less(t, stop(running), 4*time.Second)
		b.resume()
	})
}

// onTheWay sends an event that the broker does not acknowledge, for it hangs.
func onTheWay(t *testing.T, w *world, b *broker, relay *events.Relay, nc *nats.Conn) {
	t.Helper()
	b.pause()
	sent := nc.Stats().OutMsgs
	w.emit("on the way")
	relay.Wake()
	soon(t, func() bool { return nc.Stats().OutMsgs > sent }, "it is sent, and waits for the acknowledgement")
}

// A monolith's outbox serves every area that is in it.
func TestOneOutboxOfTwoAreas(t *testing.T) {
	t.Parallel()
	w := provisioned(t)
	require.NoError(t, pgx.BeginFunc(t.Context(), w.producer, func(tx pgx.Tx) error {
		for _, typ := range []string{"book.added", "stock.changed", "book.changed"} {
			if err := events.Emit(t.Context(), tx, typ, note{typ}); err != nil {
				return err
			}
		}
		return nil
	}))
	w.relay("monolith", func(c *events.RelayConfig) {
		c.Metrics = prometheus.NewRegistry()
		c.Area = func(typ string) string {
			if strings.HasPrefix(typ, "book.") {
				return "catalog"
			}
			return "inventory"
		}
	})
	soon(t, func() bool { return w.waiting() == 0 }, "all are published")
	var subjects []string
	stream, err := w.admin().Stream(t.Context(), events.Stream)
	require.NoError(t, err)
	for seq := uint64(1); seq <= stream.CachedInfo().State.LastSeq; seq++ {
		msg, err := stream.GetMsg(t.Context(), seq)
		require.NoError(t, err)
		subjects = append(subjects, msg.Subject)
	}
	slices.Sort(subjects)
	require.Equal(t, []string{"events.catalog.book.added", "events.catalog.book.changed", "events.inventory.stock.changed"}, subjects)
}

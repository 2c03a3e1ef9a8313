package events_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"banyan/internal/events"
)

// What the broker acknowledged and then lost comes back from the outbox, and
// its effects still happen once.
func TestStreamLosesEvents(t *testing.T) {
	t.Parallel()

	t.Run("the tail, and others have published since", func(t *testing.T) {
		t.Parallel()
		broker := newBroker(t)
		w := newWorld(t, broker.URL())
		require.NoError(t, events.Provision(t.Context(), w.admin()))
		w.relay("one")
		w.consume(write)
		w.numbered(0, 30)
		soon(t, func() bool { return len(w.effects()) == 30 }, "the first have their effects")

		broker.stop() // all is on disk
		restore := broker.snapshot()
		broker.start()
		w.numbered(30, 60)
		soon(t, func() bool { return len(w.effects()) == 60 && w.waiting() == 0 }, "so have the next")

		// The crash. While our relay cannot reach the server yet, another moves
		// the stream's end to where it was, and beyond.
		broker.kill()
		restore()
		port := broker.options.Port
		broker.options.Port = 0
		broker.start()
		js := (&world{t: t, url: broker.URL()}).admin()
		for i := range 60 {
			_, err := js.Publish(t.Context(), "events.elsewhere.thing", fmt.Append(nil, i))
			require.NoError(t, err)
		}
		broker.stop()
		broker.options.Port = port
		broker.start()

		w.numbered(60, 90)
		soon(t, func() bool { return len(w.effects()) == 90 && w.waiting() == 0 }, "new ones come through")
		require.Equal(t, texts(0, 90), w.effects(), "each effect once")
		soon(t, w.admin().Conn().IsConnected, "the test is connected again")
		stored := w.published(w.admin())
		for _, text := range texts(0, 90) {
			require.Contains(t, stored, fmt.Sprintf(`{"text":%q}`, text))
		}
	})
	t.Run("the whole of it", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		js := w.admin()
		_, first := w.relay("one")
		w.consume(write)
		w.numbered(0, 30)
		soon(t, func() bool { return len(w.effects()) == 30 && w.waiting() == 0 }, "all have their effects")
		first.stop()
		require.NoError(t, js.DeleteStream(t.Context(), events.Stream))
		require.NoError(t, events.Provision(t.Context(), js))

		w.numbered(30, 40)
		w.relay("again")
		soon(t, func() bool { return len(w.effects()) == 40 && w.waiting() == 0 }, "new ones come through")
		require.Equal(t, texts(0, 40), w.effects(), "each effect once")
		require.Len(t, w.published(js), 40)
	})
	t.Run("one that the consumers may have forgotten is not sent again", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		js := w.admin()
		_, first := w.relay("one")
		w.emit("ancient", "recent")
		soon(t, func() bool { return w.waiting() == 0 }, "both are published")
		first.stop()
		_, err := w.producer.Exec(t.Context(),
			`update outbox set published_at = now() - interval '10 days' where data->>'text' = 'ancient'`)
		require.NoError(t, err)
		require.NoError(t, js.DeleteStream(t.Context(), events.Stream))
		require.NoError(t, events.Provision(t.Context(), js))
		w.relay("again")
		soon(t, func() bool { return len(w.published(js)) == 1 }, "one comes back")
		still(t, func() bool { return slices.Equal(w.published(js), []string{`{"text":"recent"}`}) }, "only that one")
	})
	t.Run("all that its consumer had not seen, by a purge, and the newest mark is right again", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		metrics := prometheus.NewRegistry()
		w.relay("one", func(c *events.RelayConfig) { c.Metrics = metrics })
		consumer, _ := w.consume(write)
		w.numbered(0, 10)
		soon(t, func() bool { return len(w.effects()) == 10 && w.waiting() == 0 }, "the first have their effects")
		consumer.stop()
		w.numbered(10, 30)
		soon(t, func() bool { return w.waiting() == 0 && w.stored() == 30 }, "the next are on the stream")
		stream, err := w.admin().Stream(t.Context(), events.Stream)
		require.NoError(t, err)
		require.NoError(t, stream.Purge(t.Context()))
		w.numbered(30, 40)
		soon(t, func() bool { return w.waiting() == 0 }, "new ones are published")

		w.consume(write)
		soon(t, func() bool { return len(w.effects()) == 40 }, "all have their effects, those that were purged too")
		require.Equal(t, texts(0, 40), w.effects(), "each effect once")
		soon(t, func() bool { return w.waiting() == 0 && w.stored() == 40 }, "the stream has all of them")
		require.EqualValues(t, 30, metric(t, metrics, "outbox_lost_by_stream_total"))
	})
	t.Run("some of the middle, while the relay works and while it does not", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		_, first := w.relay("one")
		w.numbered(0, 30)
		soon(t, func() bool { return w.waiting() == 0 }, "all are published")
		stream, err := w.admin().Stream(t.Context(), events.Stream)
		require.NoError(t, err)
		for _, seq := range []uint64{7, 8, 20} {
			require.NoError(t, stream.DeleteMsg(t.Context(), seq))
		}
		soon(t, func() bool { return w.stored() == 30 }, "they come back")
		first.stop()
		require.NoError(t, stream.DeleteMsg(t.Context(), 12))
		require.NoError(t, stream.SecureDeleteMsg(t.Context(), 31))
		w.relay("again")
		soon(t, func() bool { return w.stored() == 30 && w.waiting() == 0 }, "so do those")
		w.consume(write)
		soon(t, func() bool { return len(w.effects()) == 30 }, "all have their effects")
		require.Equal(t, texts(0, 30), w.effects(), "each effect once")
	})
	t.Run("what is too old for it, or what it has no room for, is not sent again", func(t *testing.T) {
		t.Parallel()
		for name, change := range map[string]func(*jetstream.StreamConfig){
			"too old": func(c *jetstream.StreamConfig) { c.MaxAge, c.Duplicates = time.Second, time.Second },
			"no room": func(c *jetstream.StreamConfig) { c.MaxMsgs = 3 },
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w := provisioned(t)
				w.reshape(change)
				_, first := w.relay("one")
				w.numbered(0, 30)
				soon(t, func() bool { return w.waiting() == 0 && w.stored() <= 3 }, "it has forgotten most of them")
				stream, err := w.admin().Stream(t.Context(), events.Stream)
				require.NoError(t, err)
				require.EqualValues(t, 30, stream.CachedInfo().State.LastSeq)
				first.stop()
				time.Sleep(time.Second)
				w.relay("again")
				w.numbered(30, 31)
				soon(t, func() bool { return w.waiting() == 0 }, "a new one is published")
				still(t, func() bool {
					info, err := stream.Info(t.Context())
					return err == nil && info.State.LastSeq == 31
				}, "nothing else is")
			})
		}
	})
	t.Run("all of it, made anew while the relay works", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		w.relay("one")
		w.numbered(0, 30)
		soon(t, func() bool { return w.waiting() == 0 }, "all are published")
		require.NoError(t, w.admin().DeleteStream(t.Context(), events.Stream))
		require.NoError(t, events.Provision(t.Context(), w.admin()))
		w.numbered(30, 35)
		soon(t, func() bool { return w.waiting() == 0 && w.stored() >= 35 }, "all are there again")
		w.consume(write)
		soon(t, func() bool { return len(w.effects()) == 35 }, "all have their effects")
		require.Equal(t, texts(0, 35), w.effects(), "each effect once")
	})
	t.Run("nothing, and nothing is sent twice", func(t *testing.T) {
		t.Parallel()
		broker := newBroker(t)
		w := newWorld(t, broker.URL())
		require.NoError(t, events.Provision(t.Context(), w.admin()))
		_, running := w.relay("one")
		w.numbered(0, 20)
		soon(t, func() bool { return w.waiting() == 0 }, "all are published")
		broker.stop()
		broker.start()
		soon(t, running.nats.IsConnected, "the relay is connected again")
		w.numbered(20, 25)
		soon(t, func() bool { return w.waiting() == 0 }, "new ones come through")
		soon(t, w.admin().Conn().IsConnected, "the test is connected again")
		require.Len(t, w.published(w.admin()), 25)
	})
}

// numbered emits notes with the numbers from first to last, excluded, each in a
// transaction of its own.
func (w *world) numbered(first, last int) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 10*time.Second)
	defer cancel()
	for _, text := range texts(first, last) {
		require.NoError(w.t, events.Emit(ctx, w.producer, "note.taken", note{text}))
	}
}

func texts(first, last int) (all []string) {
	for i := first; i < last; i++ {
		all = append(all, fmt.Sprintf("%03d", i))
	}
	return all
}

package events_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"banyan/internal/events"
)

// What the stream forgot before its consumer came is lost, and the consumer says so.
func TestMissedEvents(t *testing.T) {
	t.Parallel()
	const missed, begins = "this consumer was away for longer than the stream keeps anything", "a new consumer begins at what the stream still has"
	short := func(c *jetstream.StreamConfig) { c.MaxAge, c.Duplicates = time.Second, time.Second }

	t.Run("by one that was away for longer than the stream keeps anything", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		w.relay("one")
		log := &logbook{t: t}
		logged := func(c *events.ConsumerConfig) { c.Log = log.logger() }
		consumer, _ := w.consume(write, logged)
		w.numbered(0, 5)
		soon(t, func() bool { return len(w.effects()) == 5 && w.waiting() == 0 }, "the first have their effects")
		consumer.stop()
		consumer, metrics := w.consume(write, logged)
		w.numbered(5, 6)
		soon(t, func() bool { return len(w.effects()) == 6 && w.waiting() == 0 }, "it was away for a moment")
		require.Zero(t, metric(t, metrics, "events_missed_total"))
		require.Zero(t, log.count(missed)+log.count(begins))
		consumer.stop()

		w.numbered(6, 9)
		soon(t, func() bool { return w.waiting() == 0 && w.stored() == 9 }, "more are on the stream")
		w.reshape(short)
		soon(t, func() bool { return w.stored() == 0 }, "the stream forgets them")
		consumer, metrics = w.consume(write, logged)
		soon(t, func() bool { return metric(t, metrics, "events_missed_total") == 3 }, "three are missed")
		require.Equal(t, 1, log.count(missed))
		w.numbered(9, 10)
		soon(t, func() bool { return len(w.effects()) == 7 }, "new ones are handled")
		consumer.stop()
		_, metrics = w.consume(write, logged)
		w.numbered(10, 11)
		soon(t, func() bool { return len(w.effects()) == 8 }, "the next start is in time")
		require.Zero(t, metric(t, metrics, "events_missed_total"))
		require.Equal(t, 1, log.count(missed))
		require.Zero(t, log.count(begins))
	})
	t.Run("not by one whose type is rare", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		w.numbered(0, 1)
		w.relay("one")
		log := &logbook{t: t}
		consumer, _ := w.consume(write)
		soon(t, func() bool { return len(w.effects()) == 1 && w.waiting() == 0 }, "the one has its effect")
		js := w.admin()
		for range 100 {
			_, err := js.Publish(t.Context(), "events.elsewhere.thing", nil)
			require.NoError(t, err)
		}
		looked := func() bool {
			durable, err := js.Consumer(t.Context(), events.Stream, "orders")
			return err == nil && durable.CachedInfo().Config.Metadata["seen"] == "101"
		}
		consumer.stop()
		consumer, _ = w.consume(write) // what it does at its start, it does every hour
		soon(t, looked, "it knows that none of them was for it")
		consumer.stop()
		w.reshape(short)
		soon(t, func() bool { return w.stored() == 0 }, "the stream forgets all of them")
		_, metrics := w.consume(write, func(c *events.ConsumerConfig) { c.Log = log.logger() })
		w.numbered(1, 2)
		soon(t, func() bool { return len(w.effects()) == 2 }, "a new one is handled")
		require.Zero(t, metric(t, metrics, "events_missed_total"))
		require.Zero(t, log.count(missed))
	})
	t.Run("by a new one: it begins at what there is", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		w.relay("one")
		w.numbered(0, 5)
		soon(t, func() bool { return w.waiting() == 0 }, "five are published")
		w.reshape(short)
		soon(t, func() bool { return w.stored() == 0 }, "the stream forgets them")
		log := &logbook{t: t}
		_, metrics := w.consume(write, func(c *events.ConsumerConfig) { c.Log = log.logger() })
		soon(t, func() bool { return log.count(begins) == 1 }, "it says so")
		require.Zero(t, log.count(missed))
		require.Zero(t, metric(t, metrics, "events_missed_total"))
		w.numbered(5, 6)
		soon(t, func() bool { return len(w.effects()) == 1 }, "new ones are handled")
	})
}

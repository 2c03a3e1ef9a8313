package events_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"banyan/internal/events"
)

func TestRepublish(t *testing.T) {
	t.Parallel()
	w := provisioned(t)
	ctx := t.Context()
	_, running := w.relay("one")
	w.emit("a", "b", "c", "d")
	require.NoError(t, events.Emit(ctx, w.producer, "other.thing", note{"e"}))
	soon(t, func() bool { return w.waiting() == 0 }, "all are published")
	running.stop()
	_, err := w.producer.Exec(ctx, `update outbox set created_at = timestamptz '2026-01-02 03:00:00+00' + position * interval '1 hour'`)
	require.NoError(t, err)
	at := func(position int) time.Time { return time.Date(2026, 1, 2, 3+position, 0, 0, 0, time.UTC) }
	_, err = w.producer.Exec(ctx, `update outbox set published_at = now() - interval '25 hours' where data->>'text' = 'd'`)
	require.NoError(t, err)

	for name, c := range map[string]struct {
		asked events.Range
		want  []string
	}{
		"all, but for what the consumers may have forgotten": {events.Range{}, []string{"a", "b", "c", "e"}},
		"those from one time on":                             {events.Range{Since: at(2)}, []string{"b", "c", "e"}},
		"those before a time":                                {events.Range{Until: at(2)}, []string{"a"}},
		"those in between, of one type":                      {events.Range{Since: at(1), Until: at(6), Type: "other.thing"}, []string{"e"}},
		"none of a type that is none":                        {events.Range{Type: "nothing"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			tx, err := w.producer.Begin(ctx)
			require.NoError(t, err)
			defer func() { require.NoError(t, tx.Rollback(ctx)) }()
			n, err := events.Republish(ctx, tx, c.asked)
			require.NoError(t, err)
			require.EqualValues(t, len(c.want), n)
			var got []string
			require.NoError(t, tx.QueryRow(ctx, `select array_agg(data->>'text' order by position) from outbox where stream_seq is null`).Scan(&got))
			require.Equal(t, c.want, got)
		})
	}
	t.Run("the running relay notices by itself", func(t *testing.T) {
		w.reshape(func(c *jetstream.StreamConfig) { c.MaxMsgs = 1000 }) // it may discard, so no comparison finds what is gone
		w.relay("again")
		w.emit("f")
		soon(t, func() bool { return w.waiting() == 0 && w.stored() == 6 }, "the relay works")
		stream, err := w.admin().Stream(ctx, events.Stream)
		require.NoError(t, err)
		require.NoError(t, stream.Purge(ctx, jetstream.WithPurgeKeep(1)))
		n, err := events.Republish(ctx, w.producer, events.Range{})
		require.NoError(t, err)
		require.EqualValues(t, 5, n)
		soon(t, func() bool { return w.waiting() == 0 && w.stored() == 5 }, "it has published the four that were gone, and found the fifth")
	})
}

package events_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"banyan/internal/events"
	"banyan/internal/postgres"
	"banyan/internal/telemetry"
)

func TestOutbox(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	ctx := t.Context()

	t.Run("an event shares the fate of its transaction", func(t *testing.T) {
		failed := errors.New("changed its mind")
		require.ErrorIs(t, pgx.BeginFunc(ctx, w.producer, func(tx pgx.Tx) error {
			require.NoError(t, events.Emit(ctx, tx, "note.taken", note{"never"}))
			return failed
		}), failed)
		require.Zero(t, w.number(w.producer, `select count(*) from outbox`))

		require.NoError(t, events.Emit(ctx, w.producer, "note.taken", note{"once"}))
		require.Equal(t, 1, w.number(w.producer, `select count(*) from outbox where data->>'text' = 'once'`))
	})
	t.Run("a batch is one transaction, the event in it too", func(t *testing.T) {
		var b pgx.Batch
		events.Queue(ctx, &b, "note.taken", note{"batched"})
		b.Queue(`insert into changes values ('done')`)
		require.NoError(t, postgres.Exec(ctx, w.producer, &b))
		require.Equal(t, 1, w.number(w.producer, `select count(*) from outbox where data->>'text' = 'batched'`))

		var bad pgx.Batch
		events.Queue(ctx, &bad, "note.taken", note{"undone"})
		bad.Queue(`select 1/0`)
		require.Error(t, postgres.Exec(ctx, w.producer, &bad))
		require.Zero(t, w.number(w.producer, `select count(*) from outbox where data->>'text' = 'undone'`))
	})
	t.Run("the trace of the context is kept, as a child of its own", func(t *testing.T) {
		trace := telemetry.NewTrace()
		require.NoError(t, events.Emit(telemetry.WithTrace(ctx, trace), w.producer, "note.taken", note{"traced"}))
		kept, ok := telemetry.ParseTrace(w.column(w.producer, `select trace from outbox where data->>'text' = 'traced'`)[0])
		require.True(t, ok)
		require.Equal(t, trace.ID(), kept.ID())
		require.NotEqual(t, trace.String(), kept.String())
	})
	t.Run("data is encoded as JSON, whatever it is", func(t *testing.T) {
		for _, data := range []any{"a string", []byte("bytes"), json.RawMessage(`{"raw":1}`), nil, 7, map[string]int{"n": 1}} {
			require.NoError(t, events.Emit(ctx, w.producer, "some.thing", data))
			want, err := json.Marshal(data)
			require.NoError(t, err)
			got := w.column(w.producer, `select data::text from outbox order by position desc limit 1`)
			require.Equal(t, string(want), got[0])
		}
	})
	t.Run("what could never be published is refused now", func(t *testing.T) {
		for name, err := range map[string]error{
			"a type that is no subject":          events.Emit(ctx, w.producer, "note taken", note{}),
			"a type with a wildcard":             events.Emit(ctx, w.producer, "note.*", note{}),
			"data that JSON cannot express":      events.Emit(ctx, w.producer, "note.taken", func() {}),
			"data that the broker finds too big": events.Emit(ctx, w.producer, "note.taken", note{string(make([]byte, 1<<20))}),
		} {
			require.Error(t, err, name)
		}
		var b pgx.Batch
		b.Queue(`insert into changes values ('with it')`)
		events.Queue(ctx, &b, "note.taken", func() {})
		require.Error(t, postgres.Exec(ctx, w.producer, &b))
		require.Zero(t, w.number(w.producer, `select count(*) from changes where text = 'with it'`))
	})
}

func TestOutboxMetrics(t *testing.T) {
	t.Parallel()
	w := provisioned(t)
	registry := prometheus.NewRegistry()
	r := events.NewRelay(events.RelayConfig{
		Pool: w.producer, NATS: w.connect("catalog"), Area: events.Only("catalog"), Source: "catalog", Log: quiet(t), Metrics: registry,
	})
	w.emit("a", "b")
	time.Sleep(10 * time.Millisecond)
	require.EqualValues(t, 2, metric(t, registry, "outbox_unpublished"))
	require.Greater(t, metric(t, registry, "outbox_oldest_unpublished_seconds"), 0.005)

	w.run(nil, r.Run)
	soon(t, func() bool { return metric(t, registry, "outbox_published_total") == 2 }, "both are counted")
	require.Zero(t, metric(t, registry, "outbox_unpublished"))
	require.Zero(t, metric(t, registry, "outbox_oldest_unpublished_seconds"))
}

func TestMessage(t *testing.T) {
	t.Parallel()
	w := provisioned(t)
	trace := telemetry.NewTrace()
	require.NoError(t, events.Emit(telemetry.WithTrace(t.Context(), trace), w.producer, "note.taken", note{"hello"}))
	w.relay("catalog-1")
	js := w.admin()
	soon(t, func() bool { return len(w.published(js)) == 1 }, "the event is published")

	stream, err := js.Stream(t.Context(), events.Stream)
	require.NoError(t, err)
	msg, err := stream.GetMsg(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, "events.catalog.note.taken", msg.Subject)
	require.JSONEq(t, `{"text":"hello"}`, string(msg.Data))
	id := w.column(w.producer, `select id::text from outbox`)[0]
	for key, want := range map[string]string{
		"ce-specversion": "1.0", "ce-id": id, "ce-type": "note.taken", "ce-source": "catalog-1",
		"content-type": "application/json", jetstream.MsgIDHeader: id,
		"traceparent": w.column(w.producer, `select trace from outbox`)[0],
	} {
		require.Equal(t, []string{want}, msg.Header[key], "header %s, its case included", key)
	}
	at, err := time.Parse(time.RFC3339Nano, msg.Header["ce-time"][0])
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), at, time.Minute)
	require.Equal(t, time.UTC, at.Location())
}

package events_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"banyan/internal/events"
	"banyan/internal/fault"
)

func TestDeadLetters(t *testing.T) {
	t.Parallel()
	refused := fault.New(fault.Invalid, "bad-note", "This note says nothing.")

	t.Run("a rejected event is put aside whole, and its neighbours are handled", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		_, metrics := w.consume(func(ctx context.Context, tx pgx.Tx, e events.Event, data note) error {
			if err := write(ctx, tx, e, data); err != nil || data.Text != "poison" {
				return err
			}
			return refused
		})
		js := w.admin()
		id := uuid.New()
		w.send(js, headers(uuid.New()), `{"text":"before"}`)
		w.send(js, headers(id), `{"text":"poison"}`)
		w.send(js, headers(id), `{"text":"poison"}`)
		w.send(js, headers(uuid.New()), `{"text":"after"}`)
		soon(t, func() bool { return metric(t, metrics, "events_duplicates_total") == 1 }, "it comes again and is known")
		soon(t, func() bool { return len(w.effects()) == 2 }, "the neighbours have their effects")
		require.Equal(t, []string{"after", "before"}, w.effects())
		require.EqualValues(t, 1, metric(t, metrics, "events_dead_letters_total"))

		letters, err := events.DeadLetters(t.Context(), w.consumer)
		require.NoError(t, err)
		require.Len(t, letters, 1)
		got := letters[0]
		require.Equal(t, "orders", got.Consumer)
		require.Equal(t, id, got.EventID)
		require.Equal(t, "note.taken", got.Type)
		require.Equal(t, "events.catalog.note.taken", got.Subject)
		require.Equal(t, `{"text":"poison"}`, string(got.Body))
		require.Equal(t, []string{"2026-01-02T03:04:05Z"}, got.Headers["ce-time"])
		require.Contains(t, got.Error, "This note says nothing.")
		require.Equal(t, 1, got.Attempts)
		require.Nil(t, got.ReplayAt)
	})

	t.Run("what cannot be read is put aside, too", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		w.consume(write)
		js := w.admin()
		change := func(key, value string) map[string]string {
			h := headers(uuid.New())
			h[key] = value
			return h
		}
		for _, bad := range []struct {
			headers map[string]string
			body    string
			because string
		}{
			{change("ce-specversion", "2.0"), `{}`, "ce-specversion"},
			{change("ce-specversion", ""), `{}`, "ce-specversion"},
			{change("ce-id", "7"), `{}`, "ce-id"},
			{change("ce-type", ""), `{}`, "ce-type"},
			{change("ce-type", "something.else"), `{}`, "on the subject"},
			{change("ce-type", "note\x00\xff"), `{}`, "on the subject"},
			{change("ce-time", "yester\x00\xffday"), `{}`, "ce-time"},
			{headers(uuid.New()), `{"text":`, "data"},
			{headers(uuid.New()), `{"text":7}`, "data"},
			{nil, `not an event`, "ce-specversion"},
		} {
			before := w.number(w.consumer, `select count(*) from dead_letters`)
			w.send(js, bad.headers, bad.body)
			soon(t, func() bool { return w.number(w.consumer, `select count(*) from dead_letters`) == before+1 }, "one more")
			require.Contains(t, w.column(w.consumer, `select error from dead_letters order by died_at desc limit 1`)[0], bad.because)
		}
		w.send(js, nil, `not an event`)
		w.send(js, headers(uuid.New()), `{"text":"fine","unknown":"fields are nobody's business"}`)
		soon(t, func() bool { return len(w.effects()) == 1 }, "what can be read is handled")
		require.Equal(t, 10, w.number(w.consumer, `select count(*) from dead_letters`), "the same rubbish is put aside once")
	})

	t.Run("replayed, it has its effect once the cause is gone", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		var fixed atomic.Bool
		_, metrics := w.consume(func(ctx context.Context, tx pgx.Tx, e events.Event, data note) error {
			if !fixed.Load() {
				return refused
			}
			return write(ctx, tx, e, data)
		})
		js := w.admin()
		id := uuid.New()
		w.send(js, headers(id), `{"text":"in the end"}`)
		died := func() float64 { return metric(t, metrics, "events_dead_letters_total") }
		soon(t, func() bool { return died() == 1 }, "it is rejected")

		found, err := events.Replay(t.Context(), w.consumer, id, uuid.New())
		require.NoError(t, err)
		require.Equal(t, []uuid.UUID{id}, found)
		soon(t, func() bool { return died() == 2 }, "it is rejected again, since nothing has changed")
		still(t, func() bool { return died() == 2 }, "a replay is one try")
		letters, err := events.DeadLetters(t.Context(), w.consumer)
		require.NoError(t, err)
		require.Equal(t, 2, letters[0].Attempts)

		fixed.Store(true)
		_, err = events.Replay(t.Context(), w.consumer, id)
		require.NoError(t, err)
		soon(t, func() bool { return len(w.effects()) == 1 }, "now it has its effect")
		letters, err = events.DeadLetters(t.Context(), w.consumer)
		require.NoError(t, err)
		require.Empty(t, letters)

		found, err = events.Replay(t.Context(), w.consumer, id)
		require.NoError(t, err)
		require.Empty(t, found, "what was handled is no dead letter any more")
		w.send(js, headers(id), `{"text":"in the end"}`)
		soon(t, func() bool { return metric(t, metrics, "events_duplicates_total") == 1 }, "and the inbox knows it")
		require.Equal(t, []string{"in the end"}, w.effects())
	})

	t.Run("a replay that lacks something is tried until it is there", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		var state atomic.Int32 // 0 rejects, 1 misses something, 2 works
		w.consume(func(ctx context.Context, tx pgx.Tx, e events.Event, data note) error {
			switch state.Load() {
			case 0:
				return refused
			case 1:
				state.Store(2)
				return fault.New(fault.NotFound, "", "Not here yet.")
			}
			return write(ctx, tx, e, data)
		})
		id := uuid.New()
		w.send(w.admin(), headers(id), `{"text":"later"}`)
		soon(t, func() bool { return w.number(w.consumer, `select count(*) from dead_letters`) == 1 }, "it is rejected")
		state.Store(1)
		_, err := events.Replay(t.Context(), w.consumer, id)
		require.NoError(t, err)
		soon(t, func() bool { return len(w.effects()) == 1 }, "the second try works")
	})
}

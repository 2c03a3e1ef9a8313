package events_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"banyan/internal/events"
	"banyan/internal/fault"
	"banyan/internal/postgres"
)

func TestQueuedHandlers(t *testing.T) {
	t.Parallel()
	queue := func(_ context.Context, b *pgx.Batch, e events.Event, data note) error {
		b.Queue(`insert into effects (event_id, text, trace) values ($1, $2, $3)`, e.ID, data.Text, e.Trace)
		return nil
	}

	t.Run("an effect happens once, however often its event comes", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		metrics := w.consumeQueued(queue)
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
	})
	t.Run("a rejected event is put aside, and its neighbours are handled", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		w.consumeQueued(func(ctx context.Context, b *pgx.Batch, e events.Event, data note) error {
			if data.Text == "poison" {
				return fault.New(fault.Invalid, "bad-note", "This note says nothing.")
			}
			return queue(ctx, b, e, data)
		})
		js := w.admin()
		for i := range 10 {
			w.send(js, headers(uuid.New()), fmt.Sprintf(`{"text":"%03d"}`, i))
		}
		w.send(js, headers(uuid.New()), `{"text":"poison"}`)
		w.send(js, headers(uuid.New()), `{"text":7}`)
		for i := range 10 {
			w.send(js, headers(uuid.New()), fmt.Sprintf(`{"text":"%03d"}`, 10+i))
		}
		soon(t, func() bool { return len(w.effects()) == 20 }, "the others are handled")
		soon(t, func() bool { return w.number(w.consumer, `select count(*) from dead_letters`) == 2 }, "the two are put aside")
		require.Equal(t, texts(0, 20), w.effects())
	})
	t.Run("what a statement raises means what the handler says", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		refused := fault.New(fault.Invalid, "no-text", "There is no text.")
		w.consumeQueued(func(_ context.Context, b *pgx.Batch, e events.Event, data note) error {
			events.Explain(b.Queue(`insert into effects (event_id, text, trace) values ($1, nullif($2, ''), '')`, e.ID, data.Text),
				func(err error) error {
					if postgres.NotNullViolation(err, "effects", "text") {
						return refused
					}
					return err
				})
			return nil
		})
		js := w.admin()
		w.send(js, headers(uuid.New()), `{"text":"something"}`)
		w.send(js, headers(uuid.New()), `{"text":""}`)
		soon(t, func() bool { return w.number(w.consumer, `select count(*) from dead_letters`) == 1 }, "it is rejected")
		soon(t, func() bool { return len(w.effects()) == 1 }, "the other is handled")
		letters, err := events.DeadLetters(t.Context(), w.consumer)
		require.NoError(t, err)
		require.Contains(t, letters[0].Error, "There is no text.")
	})
	t.Run("a handler that fails or panics is tried again", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		var calls atomic.Int32
		w.consumeQueued(func(ctx context.Context, b *pgx.Batch, e events.Event, data note) error {
			switch calls.Add(1) {
			case 1, 2: // the quick way, then the careful one
				panic("a bug")
			case 3, 4:
				return errors.New("something is missing")
			}
			return queue(ctx, b, e, data)
		})
		w.send(w.admin(), headers(uuid.New()), `{"text":"a"}`)
		soon(t, func() bool { return len(w.effects()) == 1 }, "in the end it has its effect")
		require.EqualValues(t, 5, calls.Load())
	})
}

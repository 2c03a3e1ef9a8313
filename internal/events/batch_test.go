package events_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"banyan/internal/events"
	"banyan/internal/fault"
)

func TestBatchHandlers(t *testing.T) {
	t.Parallel()
	write := func(b *pgx.Batch, all []events.Heard[note]) {
		for _, e := range all {
			b.Queue(`insert into effects (event_id, text, trace) values ($1, $2, '')`, e.ID, e.Data.Text)
		}
	}

	t.Run("get all events of a transaction at once, and each has its effect once", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		js := w.admin()
		ids := []uuid.UUID{uuid.New(), uuid.New(), uuid.New(), uuid.New()}
		for range 3 {
			for i, id := range ids {
				w.send(js, headers(id), fmt.Sprintf(`{"text":"%d"}`, i))
			}
		}
		var most atomic.Int32
		_, metrics := w.consumeBy(func(c *events.Consumer) {
			events.OnBatch(c, func(_ context.Context, b *pgx.Batch, all []events.Heard[note]) error {
				most.Store(max(most.Load(), int32(len(all))))
				write(b, all)
				return nil
			}, "note.taken")
		}, func(c *events.ConsumerConfig) { c.Workers = 1 })
		soon(t, func() bool { return metric(t, metrics, "events_duplicates_total") == 8 }, "the others are dropped")
		require.Equal(t, []string{"0", "1", "2", "3"}, w.effects())
		require.EqualValues(t, 4, metric(t, metrics, "events_handled_total"))
		require.Greater(t, most.Load(), int32(1))
	})
	t.Run("share a transaction with handlers of single events", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		for i := range 20 {
			w.send(w.admin(), headers(uuid.New()), fmt.Sprintf(`{"text":"%03d"}`, i))
		}
		w.consumeBy(func(c *events.Consumer) {
			events.On(c, "note.lost", func(context.Context, pgx.Tx, events.Event, note) error { return nil })
			events.OnBatch(c, func(_ context.Context, b *pgx.Batch, all []events.Heard[note]) error {
				write(b, all)
				return nil
			}, "note.found", "note.taken")
		})
		soon(t, func() bool { return len(w.effects()) == 20 }, "all are handled")
		require.Equal(t, texts(0, 20), w.effects())
	})
	t.Run("leave the neighbours of an event that they reject, or that makes them panic, alone", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		js := w.admin()
		for i := range 10 {
			w.send(js, headers(uuid.New()), fmt.Sprintf(`{"text":"%03d"}`, i))
		}
		w.send(js, headers(uuid.New()), `{"text":"poison"}`)
		w.send(js, headers(uuid.New()), `{"text":7}`)
		w.send(js, headers(uuid.New()), `{"text":"bug"}`)
		var panics atomic.Int32
		w.consumeBy(func(c *events.Consumer) {
			events.OnBatch(c, func(_ context.Context, b *pgx.Batch, all []events.Heard[note]) error {
				for _, e := range all {
					if e.Data.Text == "poison" {
						return fault.New(fault.Invalid, "bad-note", "This note says nothing.")
					}
					if e.Data.Text == "bug" && panics.Add(1) < 4 {
						panic("a bug")
					}
				}
				write(b, all)
				return nil
			}, "note.taken")
		})
		soon(t, func() bool { return len(w.effects()) == 11 }, "the others are handled")
		soon(t, func() bool { return w.number(w.consumer, `select count(*) from dead_letters`) == 2 }, "the two are put aside")
		require.Equal(t, append(texts(0, 10), "bug"), w.effects())
	})
}

// Two instances hear of the same things in opposite orders. One of them would die of a
// deadlock, and come again, if each locked the rows in the order of its events.
func TestInstancesDoNotDeadlock(t *testing.T) {
	t.Parallel()
	w := provisioned(t)
	js := w.admin()
	const things, rounds = 40, 8
	for n := range rounds {
		for i := range things {
			if n%2 == 1 {
				i = things - 1 - i
			}
			w.send(js, headers(uuid.New()), fmt.Sprintf(`{"text":"%02d"}`, i))
		}
	}
	for i := range things {
		_, err := w.consumer.Exec(t.Context(), `insert into causes (text) values ($1)`, fmt.Sprintf("%02d", i))
		require.NoError(t, err)
	}
	instance := func() background {
		running, _ := w.consumeBy(func(c *events.Consumer) {
			events.OnBatch(c, func(_ context.Context, b *pgx.Batch, all []events.Heard[note]) error {
				slices.SortFunc(all, func(a, b events.Heard[note]) int { return strings.Compare(a.Data.Text, b.Data.Text) })
				for _, e := range all {
					b.Queue(`update causes set text = text where text = $1`, e.Data.Text)
					b.Queue(`insert into effects (event_id, text, trace) values ($1, $2, '')`, e.ID, e.Data.Text)
				}
				return nil
			}, "note.taken")
		}, func(c *events.ConsumerConfig) { c.Workers = 8 })
		return running
	}
	first, second := instance(), instance()
	soon(t, func() bool { return len(w.effects()) == things*rounds }, "all are handled")
	// A connection that ends has told the statistics all it knows.
	first.stop()
	second.stop()
	w.consumer.Close()
	require.Zero(t, w.number(w.producer, `select deadlocks from pg_stat_database where datname = current_database()`))
}

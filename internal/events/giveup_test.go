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
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"banyan/internal/events"
	"banyan/internal/fault"
	"banyan/internal/postgres"
)

// An event that will never do must not be tried for ever: it is put aside,
// before the stream forgets it.
func TestGivingUp(t *testing.T) {
	t.Parallel()
	missing := fault.New(fault.NotFound, "no-cause", "There is no cause yet.")
	dead := func(w *world) int {
		return w.number(w.consumer, `select count(*) from dead_letters where replayed_at is null`)
	}

	t.Run("an event that still fails when it is two days old is put aside, a younger one is tried again", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		var there atomic.Bool
		_, metrics := w.consume(func(ctx context.Context, tx pgx.Tx, e events.Event, data note) error {
			if !there.Load() && data.Text != "fine" {
				return missing
			}
			return write(ctx, tx, e, data)
		})
		js := w.admin()
		old, young := uuid.New(), uuid.New()
		w.send(js, aged(old, 49*time.Hour), `{"text":"old"}`)
		w.send(js, aged(young, 47*time.Hour), `{"text":"young"}`)
		w.send(js, aged(uuid.New(), 49*time.Hour), `{"text":"fine"}`)
		soon(t, func() bool { return dead(w) == 1 }, "one is put aside")
		soon(t, func() bool { return metric(t, metrics, "events_redelivered_total") >= 10 }, "the other is tried on")
		letters, err := events.DeadLetters(t.Context(), w.consumer)
		require.NoError(t, err)
		require.Len(t, letters, 1)
		require.Equal(t, old, letters[0].EventID)
		require.Contains(t, letters[0].Error, "it still fails when it is 49h0m0s old")
		require.Contains(t, letters[0].Error, "There is no cause yet.")
		require.Equal(t, []string{"fine"}, w.effects(), "one that is old and does not fail is handled")

		there.Store(true)
		_, err = events.Replay(t.Context(), w.consumer, old)
		require.NoError(t, err)
		soon(t, func() bool { return len(w.effects()) == 3 }, "a replay has its effect, whatever the age")
		require.Zero(t, dead(w))
	})
	t.Run("an old event that comes before what it needs is not given up at once", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		var calls atomic.Int32
		w.consume(func(ctx context.Context, tx pgx.Tx, e events.Event, data note) error {
			if calls.Add(1) < 4 {
				return missing
			}
			return write(ctx, tx, e, data)
		})
		w.send(w.admin(), aged(uuid.New(), 60*time.Hour), `{"text":"effect"}`)
		soon(t, func() bool { return len(w.effects()) == 1 }, "its effect comes in time")
		require.Zero(t, dead(w))
	})

	// What the database refuses, and whether the refusal comes from PostgreSQL,
	// from its driver, or at the commit.
	type number struct {
		Text string `json:"text"`
		N    int64  `json:"n"`
	}
	poisons := map[string]struct{ body, because string }{
		"a NUL in a text":                   {`{"text":"a\u0000b"}`, "invalid byte sequence"},
		"a number above an integer's range": {`{"text":"a","n":2147483648}`, "is greater than maximum value for int4"},
		"a check that no handler explains":  {`{"text":"a","n":-1}`, "numbers_n_check"},
		"a constraint that waits for the commit": {
			`{"text":"a","n":7}`, "numbers_n_key"},
	}
	const text, n = `insert into effects (event_id, text) values ($1, $2)`, `insert into numbers values ($1)`
	registers := map[string]func(*events.Consumer){
		"handler": func(c *events.Consumer) {
			events.On(c, "note.taken", func(ctx context.Context, tx pgx.Tx, e events.Event, data number) error {
				if _, err := tx.Exec(ctx, text, e.ID, data.Text); err != nil {
					return fmt.Errorf("write: %w", err)
				}
				_, err := tx.Exec(ctx, n, data.N)
				return err
			})
		},
		"queued handler": func(c *events.Consumer) {
			events.OnQueued(c, "note.taken", func(_ context.Context, b *pgx.Batch, e events.Event, data number) error {
				b.Queue(text, e.ID, data.Text)
				b.Queue(n, data.N)
				return nil
			})
		},
	}
	for name, poison := range poisons {
		for how, register := range registers {
			t.Run(name+" is put aside after a few tries by a "+how+", and its neighbours are handled", func(t *testing.T) {
				t.Parallel()
				w := provisioned(t)
				_, err := w.consumer.Exec(t.Context(), `insert into numbers values (7)`)
				require.NoError(t, err)
				_, metrics := w.consumeBy(register)
				js := w.admin()
				id := uuid.New()
				for i := range 40 {
					if i == 20 {
						w.send(js, aged(id, 0), poison.body)
					}
					w.send(js, aged(uuid.New(), 0), fmt.Sprintf(`{"text":"%03d","n":%d}`, i, 1000+i))
				}
				soon(t, func() bool { return len(w.effects()) == 40 }, "the neighbours are handled")
				require.Equal(t, texts(0, 40), w.effects())
				soon(t, func() bool { return dead(w) == 1 }, "it is put aside")
				require.GreaterOrEqual(t, metric(t, metrics, "events_redelivered_total"), 4.0, "after some tries")
				letters, err := events.DeadLetters(t.Context(), w.consumer)
				require.NoError(t, err)
				require.Equal(t, id, letters[0].EventID)
				require.Contains(t, letters[0].Error, poison.because)
				require.Contains(t, letters[0].Error, "the database will never take it")

				_, err = events.Replay(t.Context(), w.consumer, id)
				require.NoError(t, err)
				again := func() bool {
					letters, err := events.DeadLetters(t.Context(), w.consumer)
					return err == nil && len(letters) == 1 && letters[0].Attempts == 2 && letters[0].ReplayAt == nil
				}
				soon(t, again, "a replay is one try")
			})
		}
	}
	t.Run("a refusal that a handler explains is tried again", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		_, metrics := w.consumeBy(func(c *events.Consumer) {
			events.OnQueued(c, "note.taken", func(_ context.Context, b *pgx.Batch, e events.Event, data note) error {
				events.Explain(b.Queue(`insert into effects (event_id, text) values ($1, (select text from causes))`, e.ID), func(err error) error {
					if postgres.NotNullViolation(err, "effects", "text") {
						return missing.Because(err)
					}
					return err
				})
				return nil
			})
		})
		w.send(w.admin(), aged(uuid.New(), time.Hour), `{"text":"effect"}`)
		soon(t, func() bool { return metric(t, metrics, "events_redelivered_total") >= 6 }, "it is tried again and again")
		require.Zero(t, dead(w))
		_, err := w.consumer.Exec(t.Context(), `insert into causes values ('here')`)
		require.NoError(t, err)
		soon(t, func() bool { return len(w.effects()) == 1 }, "once the cause is there, the effect follows")
	})
}

// What the driver cannot send, it says in words that postgres.Unstorable knows.
func TestUnstorable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	exec := func(pool *pgxpool.Pool, sql string, args ...any) error {
		_, err := pool.Exec(t.Context(), sql, args...)
		return err
	}
	batched := func(sql string, args ...any) error {
		var b pgx.Batch
		b.Queue(sql, args...)
		return postgres.Exec(t.Context(), w.consumer, &b)
	}
	const number, text = `insert into numbers values ($1)`, `insert into causes values ($1)`
	for name, err := range map[string]error{
		"a number that the driver finds too large": exec(w.consumer, number, int64(1)<<40),
		"the same in a batch":                      batched(number, int64(1)<<40),
		"a number that PostgreSQL finds too large": exec(w.consumer, `insert into numbers values ($1::bigint)`, int64(1)<<40),
		"a text that is not UTF-8":                 exec(w.consumer, text, "\xff"),
		"a NUL":                                    batched(text, "\x00"),
		"a null":                                   exec(w.consumer, number, nil),
	} {
		require.Error(t, err, name)
		require.True(t, postgres.Unstorable(err), "%s: %v", name, err)
		require.True(t, postgres.Unstorable(fmt.Errorf("write: %w", err)), name)
	}
	for name, err := range map[string]error{
		"nothing":              nil,
		"a table that is none": exec(w.consumer, `insert into nothing values (1)`),
		"what it may not do":   exec(w.consumer, `select from catalog.outbox`),
		"anything":             errors.New("away"),
		"no rows":              pgx.ErrNoRows,
		"a time that ran out":  context.DeadlineExceeded,
	} {
		require.False(t, postgres.Unstorable(err), "%s: %v", name, err)
	}
}

// aged are the headers of a note that was taken so long ago.
func aged(id uuid.UUID, age time.Duration) map[string]string {
	h := headers(id)
	h["ce-time"] = time.Now().Add(-age).UTC().Format(time.RFC3339Nano)
	return h
}

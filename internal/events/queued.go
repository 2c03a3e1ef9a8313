package events

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"banyan/internal/postgres"
)

// OnQueued is [On] for a handler that needs to read nothing first: it queues its
// statements on a batch. Events whose handlers all do so cost one round trip
// and one commit together, where a handler with a transaction costs five round
// trips. What must stop the batch raises, as in any batch; explain what it
// raised with [Explain]. The handler may run twice for the same transaction.
func OnQueued[T any](c *Consumer, typ string, queue func(ctx context.Context, b *pgx.Batch, e Event, data T) error) {
	queueRead := func(ctx context.Context, b *pgx.Batch, e Event) error {
		data, err := read[T](e)
		if err != nil {
			return err
		}
		return queue(ctx, b, e, data)
	}
	c.queued[typ] = queueRead
	c.handlers[typ] = func(ctx context.Context, tx pgx.Tx, e Event) error {
		var b pgx.Batch
		if err := queueRead(ctx, &b, e); err != nil {
			return err
		}
		return postgres.Exec(ctx, tx, &b)
	}
}

// Explain lets a handler's statement fail with what its error means.
func Explain(q *pgx.QueuedQuery, means func(error) error) {
	q.Fn = func(results pgx.BatchResults) error {
		_, err := results.Exec()
		return means(err)
	}
}

// read gives an event's data the form that its handler declares.
func read[T any](e Event) (data T, err error) {
	if err := json.Unmarshal(e.Data, &data); err != nil {
		return data, unreadable("data", err)
	}
	if v, ok := any(data).(interface{ Validate() error }); ok {
		return data, v.Validate()
	}
	return data, nil
}

// applyQueued writes the effects of a batch and its inbox rows in one round
// trip, and reports whether it could. It hopes for the usual: every event is new,
// can be read and does no harm. Whatever else there is makes the whole
// transaction fail, most of all an inbox row that is there already; then nothing
// was written, and [Consumer.apply] finds out what it is.
func (c *Consumer) applyQueued(ctx context.Context, batch []delivery) bool {
	ctx, cancel := context.WithTimeout(ctx, handleTimeout)
	defer cancel()
	ids := make([]uuid.UUID, len(batch))
	fresh := make([]Event, len(batch))
	for i, d := range batch {
		if d.err != nil || c.queued[d.event.Type] == nil {
			return false
		}
		ids[i], fresh[i] = d.event.ID, d.event
	}
	var b pgx.Batch
	b.Queue(`
		insert into inbox (consumer, event_id)
		select $1, id
		from unnest($2::uuid[]) as id
		order by id`, c.name, ids)
	if c.queueAll(ctx, &b, fresh) != nil {
		return false
	}
	if postgres.Exec(ctx, c.pool, &b) != nil {
		return false
	}
	c.committed(ctx, fresh)
	return true
}

package events

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"banyan/internal/postgres"
)

// Heard is an event and its data, in the form that its handler declares.
type Heard[T any] struct {
	Event
	Data T
}

// OnBatch is [OnQueued] for a handler whose events change the same rows, such as
// copies of state. It is given all events of these types that share a transaction, in
// no particular order, and has to queue its statements so that they lock rows in one
// order, always the same. Event by event, two instances would lock the rows of two
// events in opposite orders, and one of them would die of the deadlock. The events
// have a trace each, so ctx has none.
func OnBatch[T any](c *Consumer, queue func(ctx context.Context, b *pgx.Batch, all []Heard[T]) error, types ...string) {
	together := batchQueuer{types, func(ctx context.Context, b *pgx.Batch, all []Event) error {
		heard := make([]Heard[T], len(all))
		for i, e := range all {
			data, err := read[T](e)
			if err != nil {
				return err
			}
			heard[i] = Heard[T]{e, data}
		}
		return queue(ctx, b, heard)
	}}
	c.batched = append(c.batched, together)
	for _, typ := range types {
		c.queued[typ] = func(ctx context.Context, b *pgx.Batch, e Event) error {
			return together.queue(ctx, b, []Event{e})
		}
		c.handlers[typ] = func(ctx context.Context, tx pgx.Tx, e Event) error {
			var b pgx.Batch
			if err := together.queue(ctx, &b, []Event{e}); err != nil {
				return err
			}
			return postgres.Exec(ctx, tx, &b)
		}
	}
}

// batchQueuer is a handler of several events at once.
type batchQueuer struct {
	types []string
	queue func(ctx context.Context, b *pgx.Batch, all []Event) error
}

// split separates the events that are handled one by one from those that a handler
// gets all together, each handler its own. The handlers follow each other in the order
// in which they were registered, which is the same in every instance.
func (c *Consumer) split(all []Event) (single []Event, together [][]Event) {
	together = make([][]Event, len(c.batched))
	for _, e := range all {
		n := slices.IndexFunc(c.batched, func(q batchQueuer) bool { return slices.Contains(q.types, e.Type) })
		if n < 0 {
			single = append(single, e)
		} else {
			together[n] = append(together[n], e)
		}
	}
	return single, together
}

// queueAll queues what the handlers of the events want, which all only queue.
func (c *Consumer) queueAll(ctx context.Context, b *pgx.Batch, all []Event) error {
	single, together := c.split(all)
	for _, e := range single {
		if err := c.queue(ctx, b, e); err != nil {
			return err
		}
	}
	return c.queueTogether(ctx, b, together)
}

// callAll runs the handlers of the events.
func (c *Consumer) callAll(ctx context.Context, tx pgx.Tx, all []Event) error {
	single, together := c.split(all)
	for _, e := range single {
		if err := c.call(ctx, tx, e); err != nil {
			return err
		}
	}
	var b pgx.Batch
	if err := c.queueTogether(ctx, &b, together); err != nil {
		return err
	}
	if b.Len() == 0 {
		return nil
	}
	return postgres.Exec(ctx, tx, &b)
}

func (c *Consumer) queueTogether(ctx context.Context, b *pgx.Batch, together [][]Event) (err error) {
	for n, all := range together {
		if len(all) == 0 {
			continue
		}
		func() {
			defer survive(all[0], &err)
			err = c.batched[n].queue(ctx, b, all)
		}()
		if err != nil {
			return err
		}
	}
	return nil
}

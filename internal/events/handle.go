package events

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go/jetstream"

	"banyan/internal/fault"
	"banyan/internal/postgres"
	"banyan/internal/telemetry"
)

// delivery is one message from the broker.
type delivery struct {
	msg   jetstream.Msg
	event Event
	err   error  // why the event cannot be read
	times uint64 // how often it was delivered, this one included
}

func receive(msg jetstream.Msg) delivery {
	d := delivery{msg: msg, times: 1}
	d.event, d.err = decode(msg.Subject(), msg.Headers(), msg.Data())
	if m, err := msg.Metadata(); err == nil {
		d.times = m.NumDelivered
	}
	return d
}

// handleAll is one worker. It takes what is waiting, up to a batch, and never
// waits for a batch to fill.
func (c *Consumer) handleAll(ctx context.Context, messages <-chan jetstream.Msg) {
	for msg := range messages {
		batch := []delivery{receive(msg)}
	fill:
		for len(batch) < c.batch {
			select {
			case msg, open := <-messages:
				if !open {
					break fill
				}
				batch = append(batch, receive(msg))
			default:
				break fill
			}
		}
		for _, d := range batch {
			if d.times > 1 {
				c.metrics.redeliveries.Inc()
			}
		}
		c.handle(ctx, batch)
	}
}

// handle handles a batch in one transaction, since commits are what is dear. If
// one event fails, its neighbours must not suffer: then each has its own.
func (c *Consumer) handle(ctx context.Context, batch []delivery) {
	if c.applyQueued(ctx, batch) {
		acknowledge(batch)
		return
	}
	err := c.apply(ctx, batch)
	var f *failure
	switch {
	case err == nil:
		acknowledge(batch)
	case !errors.As(err, &f) && !unstorable(err): // a constraint may wait for the commit
		// The database is away, which is no event's fault. A moment's rest keeps
		// this worker from going through all there is in the stream.
		c.database.failed(ctx, err)
		for _, d := range batch {
			redeliver(d)
		}
		sleep(ctx, outagePause)
	case len(batch) > 1:
		for i := range batch {
			c.handle(ctx, batch[i:i+1])
		}
	default:
		c.settle(ctx, batch[0], err)
	}
}

// settle decides what becomes of an event that its handler did not take.
func (c *Consumer) settle(ctx context.Context, d delivery, cause error) {
	reason := hopeless(d, cause)
	if reason == nil {
		// The log gets each doubling of the number of failures, not each failure.
		if d.times&(d.times-1) == 0 {
			c.log.WarnContext(traced(ctx, d.event), "an event fails; trying again",
				"event_id", d.event.ID, "type", d.event.Type, "deliveries", d.times, "error", cause)
		}
		redeliver(d)
		return
	}
	if err := c.bury(ctx, letter{d.event, d.msg.Subject(), d.msg.Headers(), d.msg.Data()}, reason); err != nil {
		c.database.failed(ctx, err)
		redeliver(d)
		return
	}
	acknowledge([]delivery{d})
}

// hopeless says why an event is not tried again, or nil if it is. Unless it is
// rejected, it gets some tries first: what it stumbles over may be a race. Nor
// is an event that comes for the first time when it is old given up at once. Its
// consumer was away, and what it needs may come right behind it.
func hopeless(d delivery, cause error) error {
	switch age := time.Since(d.event.Time); {
	case rejected(cause):
		return cause
	case d.times < fewTries:
		return nil
	case unstorable(cause):
		return fmt.Errorf("the database will never take it: %w", cause)
	case age > patience:
		return fmt.Errorf("it still fails when it is %s old: %w", age.Round(time.Minute), cause)
	}
	return nil
}

// unstorable reports whether the database would refuse the same again. A fault
// is a handler's explanation of what the database refused, and decides instead:
// a null or a missing reference may stand for something that is still to come.
func unstorable(err error) bool {
	return fault.KindOf(err) == fault.Internal && postgres.Unstorable(err)
}

// redeliver asks the broker for the same again, later each time. Should the
// wish get lost, it delivers again all the same, after redeliverAfter.
func redeliver(d delivery) { _ = d.msg.NakWithDelay(backoff(d.times, firstRedeliver, lastRedeliver)) }

// acknowledge tells the broker not to deliver these again. An acknowledgement
// that gets lost means another delivery, which the inbox recognises.
func acknowledge(batch []delivery) {
	for _, d := range batch {
		_ = d.msg.Ack()
	}
}

// failure is an error of a handler, as opposed to one of the database around it.
type failure struct{ err error }

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// apply writes the effects of a batch and its inbox rows in one transaction.
// Events that the inbox knows are left out: their effects are there.
func (c *Consumer) apply(ctx context.Context, batch []delivery) error {
	ids := make([]uuid.UUID, len(batch))
	for i, d := range batch {
		if d.err != nil {
			return &failure{d.err}
		}
		ids[i] = d.event.ID
	}
	ctx, cancel := context.WithTimeout(ctx, handleTimeout)
	defer cancel()

	var fresh []Event
	err := pgx.BeginFunc(ctx, c.pool, func(tx pgx.Tx) error {
		unknown, err := c.claim(ctx, tx, ids)
		if err != nil {
			return err
		}
		for _, d := range batch {
			if !unknown[d.event.ID] {
				continue
			}
			delete(unknown, d.event.ID) // it may be twice in one batch
			fresh = append(fresh, d.event)
		}
		if err := c.callAll(ctx, tx, fresh); err != nil {
			return &failure{err}
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.committed(ctx, fresh)
	c.metrics.duplicates.Add(float64(len(batch) - len(fresh)))
	return nil
}

// claim writes the inbox rows and returns the events that were not there. If
// another transaction is about to write the same, this one waits for its end.
func (c *Consumer) claim(ctx context.Context, tx pgx.Tx, ids []uuid.UUID) (map[uuid.UUID]bool, error) {
	// In the order of the ids: two that write the same rows must not meet head-on.
	rows, err := tx.Query(ctx, `
		insert into inbox (consumer, event_id)
		select $1, id
		from unnest($2::uuid[]) as id
		order by id
		on conflict do nothing
		returning event_id`, c.name, ids)
	if err != nil {
		return nil, fmt.Errorf("write the inbox of %s: %w", c.name, err)
	}
	unknown := map[uuid.UUID]bool{}
	var id uuid.UUID
	_, err = pgx.ForEachRow(rows, []any{&id}, func() error { unknown[id] = true; return nil })
	if err != nil {
		return nil, fmt.Errorf("write the inbox of %s: %w", c.name, err)
	}
	return unknown, nil
}

// call runs the handler. A type that has none is of no interest here: the
// durable consumer was made by a version that had one.
func (c *Consumer) call(ctx context.Context, tx pgx.Tx, e Event) (err error) {
	handle := c.handlers[e.Type]
	if handle == nil {
		return nil
	}
	defer survive(e, &err)
	return handle(traced(ctx, e), tx, e)
}

// queue runs a handler that only queues.
func (c *Consumer) queue(ctx context.Context, b *pgx.Batch, e Event) (err error) {
	defer survive(e, &err)
	return c.queued[e.Type](traced(ctx, e), b, e)
}

// survive turns a panic into an error: one event that makes a handler panic must
// not take the process down, and again after each restart.
func survive(e Event, err *error) {
	if v := recover(); v != nil {
		*err = fmt.Errorf("the handler of %s panicked: %v\n%s", e.Type, v, debug.Stack())
	}
}

// committed is what follows a commit.
func (c *Consumer) committed(ctx context.Context, fresh []Event) {
	c.database.worked(ctx)
	if len(fresh) == 0 {
		return
	}
	for _, e := range fresh {
		c.metrics.handled.WithLabelValues(c.label(e)).Inc()
		c.metrics.lag.Observe(time.Since(e.Time).Seconds())
	}
	c.afterCommit()
}

// label is an event's type for metrics. An unknown one could be anything, and
// each would be a series of its own.
func (c *Consumer) label(e Event) string {
	if c.handlers[e.Type] == nil {
		return "unknown"
	}
	return e.Type
}

// traced is ctx in the trace of the work that caused the event.
func traced(ctx context.Context, e Event) context.Context {
	if t, ok := telemetry.ParseTrace(e.Trace); ok {
		return telemetry.WithTrace(ctx, t)
	}
	return ctx
}

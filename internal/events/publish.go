package events

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go/jetstream"

	"banyan/internal/postgres"
)

const (
	publishBatch = 256  // rows on the way at once
	sweepBatch   = 1000 // rows deleted at once
)

// publisher is the work of one session, on the connection that holds the lock.
type publisher struct {
	relay *Relay
	conn  *pgx.Conn
	js    jetstream.JetStream
	epoch uint64    // which connection to the broker the stream was compared on
	swept time.Time // when the last sweep found nothing more
}

// publish sends batch after batch until the outbox is empty. When ctx ends, it
// finishes the one that it has begun.
//
// One round trip marks what went and reads what came. So after a batch that was
// not full it waits a moment for the next event before it does both.
//
// No transaction is open while the broker works: a broker that hangs must not
// hold locks here.
func (p *publisher) publish(ctx context.Context) error {
	var acked acknowledged
	for {
		batch, err := p.next(ctx, acked)
		if err != nil || len(batch) == 0 || ctx.Err() != nil {
			return err
		}
		var sendErr error
		acked, sendErr = p.send(batch)
		if sendErr != nil {
			_, markErr := p.next(ctx, acked) // the others need not go again
			missing := len(batch) - len(acked.ids)
			return errors.Join(fmt.Errorf("publish %d events of %s: %w", missing, p.relay.area, sendErr), markErr)
		}
		if err := p.sweep(ctx); err != nil {
			return err
		}
		if len(batch) < publishBatch {
			p.relay.linger(ctx)
		}
	}
}

// acknowledged are events that the stream has, and where.
type acknowledged struct {
	ids  []uuid.UUID
	seqs []int64
}

// next marks what was acknowledged and returns the first rows that the stream
// does not have, in one round trip. It does not end with ctx: what is on the
// stream is to be marked.
//
// It refuses to if the connection to the broker is a new one. An acknowledgement
// from there must not become the highest mark: the stream may have lost what is
// below, and the comparison would look no further.
func (p *publisher) next(ctx context.Context, acked acknowledged) (batch []Event, err error) {
	if p.relay.nats.Stats().Reconnects != p.epoch {
		return nil, errReconnected
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stepTimeout)
	defer cancel()
	var b pgx.Batch
	if len(acked.ids) > 0 {
		b.Queue(`
			update outbox
			set stream_seq = acked.seq, published_at = coalesce(published_at, now())
			from unnest($1::uuid[], $2::bigint[]) as acked (id, seq)
			where outbox.id = acked.id`, acked.ids, acked.seqs)
	}
	b.Queue(`
		select id, type, data, trace, created_at
		from outbox
		where stream_seq is null
		order by position
		limit $1`, publishBatch).Query(func(rows pgx.Rows) error {
		batch, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (Event, error) {
			e := Event{Source: p.relay.source}
			return e, row.Scan(&e.ID, &e.Type, &e.Data, &e.Trace, &e.Time)
		})
		return err
	})
	if err := postgres.Exec(ctx, p.conn, &b); err != nil {
		return nil, fmt.Errorf("mark %d events in the outbox of %s and read on: %w", len(acked.ids), p.relay.area, err)
	}
	p.relay.metrics.published.Add(float64(len(acked.ids)))
	return batch, nil
}

// send publishes the batch, all of it on the way at once, and returns what the
// stream acknowledged. The error is the first of the others'.
func (p *publisher) send(batch []Event) (acked acknowledged, err error) {
	futures := make([]jetstream.PubAckFuture, 0, len(batch))
	for _, e := range batch {
		future, publishErr := p.js.PublishMsgAsync(e.message(p.relay.area))
		if publishErr != nil {
			err = publishErr // the connection is gone; those behind would fail alike
			break
		}
		futures = append(futures, future)
	}
	for i, future := range futures {
		select { // one of them comes within ackWait
		case ack := <-future.Ok():
			acked.ids = append(acked.ids, batch[i].ID)
			acked.seqs = append(acked.seqs, int64(ack.Sequence))
		case ackErr := <-future.Err():
			if err == nil {
				err = ackErr
			}
		}
	}
	return acked, err
}

// sweep deletes rows that were published long enough ago: one small batch at a
// time, so that no event waits for it.
func (p *publisher) sweep(ctx context.Context) error {
	if time.Since(p.swept) < sweepEvery {
		return nil
	}
	done, err := p.conn.Exec(ctx, `
		delete from outbox
		where id in (
		  select id
		  from outbox
		  where stream_seq is not null and published_at < now() - $1::interval
		  order by stream_seq
		  limit $2)`, p.relay.retention, sweepBatch)
	if err != nil {
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			return nil // stopping; there is another sweep
		}
		return fmt.Errorf("delete old rows from the outbox of %s: %w", p.relay.area, err)
	}
	if done.RowsAffected() < sweepBatch {
		p.swept = time.Now()
	}
	return nil
}

package events

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go"
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
	state *health
	works bool      // something was published, or nothing was waiting
	epoch uint64    // which connection to the broker the stream was compared on
	swept time.Time // when the last sweep found nothing more

	stream   jetstream.Stream
	compared *jetstream.StreamInfo // the stream, as the last comparison found it
	looked   time.Time             // when it was last looked at
}

// publish sends batch after batch until the outbox is empty, also when ctx ends
// meanwhile. From then on it only publishes, and last is its limit.
//
// One round trip marks what went and reads what came. So after a batch that was
// not full it waits a moment for the next event before it does both.
//
// No transaction is open while the broker works: a broker that hangs must not
// hold locks here.
func (p *publisher) publish(ctx, last context.Context) error {
	var acked acknowledged
	for {
		batch, err := p.next(last, acked)
		if err != nil {
			return err
		}
		if len(acked.ids) > 0 || len(batch) == 0 {
			p.worked(ctx)
		}
		// Here, everything that was acknowledged is marked.
		if err := p.look(ctx, last); err != nil {
			return err
		}
		if len(batch) == 0 {
			return nil
		}
		var sendErr error
		acked, sendErr = p.send(last, batch)
		if sendErr != nil {
			_, markErr := p.next(last, acked) // the others need not go again
			missing := len(batch) - len(acked.ids)
			return errors.Join(fmt.Errorf("publish %d events of %s: %w", missing, p.relay.source, sendErr), markErr)
		}
		if err := p.sweep(ctx, last); err != nil {
			return err
		}
		if len(batch) < publishBatch {
			p.relay.linger(ctx)
		}
	}
}

// worked says so, once the stream has taken a whole batch or nothing was left to
// publish. Before that, nobody knows: a stream that is full answers every
// question and takes no event.
func (p *publisher) worked(ctx context.Context) {
	p.state.worked(ctx)
	if !p.works {
		p.relay.log.InfoContext(ctx, "relay works", "source", p.relay.source)
	}
	p.works = true
}

// acknowledged are events that the stream has, and where.
type acknowledged struct {
	ids  []uuid.UUID
	seqs []int64
}

func (a *acknowledged) add(id uuid.UUID, seq uint64) {
	a.ids, a.seqs = append(a.ids, id), append(a.seqs, int64(seq))
}

// next marks what was acknowledged and returns the first rows that the stream
// does not have, in one round trip.
//
// It refuses to if the connection to the broker is a new one. An acknowledgement
// from there must not become the highest mark: the stream may have lost what is
// below, and the comparison would look no further.
func (p *publisher) next(ctx context.Context, acked acknowledged) (batch []Event, err error) {
	if p.relay.nats.Stats().Reconnects != p.epoch {
		return nil, errReconnected
	}
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
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
		return nil, fmt.Errorf("mark %d events in the outbox of %s and read on: %w", len(acked.ids), p.relay.source, err)
	}
	p.relay.metrics.published.Add(float64(len(acked.ids)))
	return batch, nil
}

// send publishes the batch and returns what the stream acknowledged. The error is
// the first of the others'.
//
// Within a window of two minutes the broker takes an event that comes again for a
// duplicate, and acknowledges where it had it the first time. It does so even if
// that message was purged since. Such an event is sent again, without the header by
// which the broker knows it.
func (p *publisher) send(ctx context.Context, batch []Event) (acknowledged, error) {
	acked, doubtful, err := p.sendAll(ctx, batch, Event.message)
	if len(doubtful) == 0 {
		return acked, err
	}
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	var purged []Event
	for _, d := range doubtful {
		has, lookErr := stores(ctx, p.stream, d.seq, d.event.ID)
		if lookErr != nil {
			return acked, errors.Join(err, lookErr)
		}
		if has {
			acked.add(d.event.ID, d.seq)
		} else {
			purged = append(purged, d.event)
		}
	}
	again, _, againErr := p.sendAll(ctx, purged, func(e Event, area string) *nats.Msg {
		msg := e.message(area)
		msg.Header.Del(jetstream.MsgIDHeader)
		return msg
	})
	return acknowledged{slices.Concat(acked.ids, again.ids), slices.Concat(acked.seqs, again.seqs)}, errors.Join(err, againErr)
}

// duplicate is an event that the broker says it has, at this place.
type duplicate struct {
	event Event
	seq   uint64
}

// sendAll publishes the batch, all of it on the way at once.
func (p *publisher) sendAll(ctx context.Context, batch []Event, message func(Event, string) *nats.Msg) (acked acknowledged, doubtful []duplicate, err error) {
	futures := make([]jetstream.PubAckFuture, 0, len(batch))
	for _, e := range batch {
		future, publishErr := p.js.PublishMsgAsync(message(e, p.relay.area(e.Type)))
		if publishErr != nil {
			err = publishErr // the connection is gone; those behind would fail alike
			break
		}
		futures = append(futures, future)
	}
	for i, future := range futures {
		select { // one of the first two comes within ackWait
		case ack := <-future.Ok():
			if ack.Duplicate {
				doubtful = append(doubtful, duplicate{batch[i], ack.Sequence})
			} else {
				acked.add(batch[i].ID, ack.Sequence)
			}
		case ackErr := <-future.Err():
			if err == nil {
				err = ackErr
			}
		case <-ctx.Done():
			return acked, doubtful, errors.Join(err, ctx.Err())
		}
	}
	return acked, doubtful, err
}

// sweep deletes rows that were published long enough ago: one small batch at a
// time, so that no event waits for it. A relay that stops leaves them to the next.
func (p *publisher) sweep(ctx, last context.Context) error {
	if ctx.Err() != nil || time.Since(p.swept) < sweepEvery {
		return nil
	}
	done, err := p.conn.Exec(last, `
		with old as materialized ( -- once; a subquery might be run again for each row
		  select id
		  from outbox
		  where stream_seq is not null and published_at < now() - $1::interval
		  order by stream_seq
		  limit $2
		)
		delete from outbox
		using old
		where outbox.id = old.id`, p.relay.retention, sweepBatch)
	if err != nil {
		return fmt.Errorf("delete old rows from the outbox of %s: %w", p.relay.source, err)
	}
	if done.RowsAffected() < sweepBatch {
		p.swept = time.Now()
	}
	return nil
}

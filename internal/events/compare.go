package events

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go/jetstream"
)

const unmarkBatch = 10_000 // rows given back to the outbox at once

// compare finds out what the stream has lost since it acknowledged it, and
// gives it back to the outbox. It comes first on every connection: once
// something new was published and marked, the highest mark would be right again
// and hide what is missing below.
//
// It asks the stream for the message at the highest mark. If that is the event
// of the mark, nothing is missing. If not, it walks back, twice as far each
// time, to a mark that is right, and everything above that is published again.
// That is up to twice as much as was lost; the consumers know what they had.
//
// The sequence number that the stream ends at proves nothing by itself: other
// relays move it on.
func (p *publisher) compare(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	stream, err := p.js.Stream(ctx, Stream)
	if err != nil {
		return fmt.Errorf("look at the stream: %w", err)
	}
	// What lies beyond the end is lost for certain and need not be asked for.
	lost := int64(stream.CachedInfo().State.LastSeq) + 1
	for stride := 1; ; stride *= 2 {
		id, seq, found, err := p.markBelow(ctx, lost, stride)
		if err != nil {
			return err
		}
		if !found {
			break // no mark is right: a new stream
		}
		has, err := stores(ctx, stream, uint64(seq), id)
		if err != nil {
			return err
		}
		if has {
			lost = seq + 1
			break
		}
		lost = seq
	}
	return p.unmark(ctx, lost)
}

// markBelow is the nth mark below a sequence number, counted downwards, or the
// lowest if there are fewer. Marks older than the retention do not count: the
// consumers may have forgotten those events and would take them for new.
func (p *publisher) markBelow(ctx context.Context, seq int64, nth int) (id uuid.UUID, mark int64, found bool, err error) {
	err = p.conn.QueryRow(ctx, `
		select id, stream_seq
		from (
		  select id, stream_seq
		  from outbox
		  where stream_seq < $1 and published_at > now() - $3::interval
		  order by stream_seq desc
		  limit $2) as below
		order by stream_seq
		limit 1`, seq, nth, p.relay.retention).Scan(&id, &mark)
	if errors.Is(err, pgx.ErrNoRows) {
		return uuid.Nil, 0, false, nil
	}
	if err != nil {
		return uuid.Nil, 0, false, fmt.Errorf("read the marks of %s: %w", p.relay.area, err)
	}
	return id, mark, true, nil
}

// stores reports whether the stream has this event at this place.
func stores(ctx context.Context, stream jetstream.Stream, seq uint64, id uuid.UUID) (bool, error) {
	msg, err := stream.GetMsg(ctx, seq)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read message %d of the stream: %w", seq, err)
	}
	return header(msg.Header, jetstream.MsgIDHeader) == id.String(), nil
}

// unmark gives everything from a sequence number on back to the outbox, from
// the top down: if it is interrupted, the highest mark is still a wrong one, and
// the next comparison goes on from there.
func (p *publisher) unmark(ctx context.Context, from int64) error {
	for total := int64(0); ; {
		done, err := p.conn.Exec(ctx, `
			update outbox
			set stream_seq = null
			where id in (
			  select id
			  from outbox
			  where stream_seq >= $1 and published_at > now() - $2::interval
			  order by stream_seq desc
			  limit $3)`, from, p.relay.retention, unmarkBatch)
		if err != nil {
			return fmt.Errorf("take back the marks of %s: %w", p.relay.area, err)
		}
		total += done.RowsAffected()
		if done.RowsAffected() < unmarkBatch {
			if total > 0 {
				p.relay.metrics.lost.Add(float64(total))
				p.relay.log.ErrorContext(ctx, "the stream lost events that it had acknowledged; publishing again",
					"events", total, "from_sequence", from)
			}
			return nil
		}
	}
}

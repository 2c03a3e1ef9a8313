package events

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	unmarkBatch = 10_000  // rows given back to the outbox at once
	mostGaps    = 100_000 // messages missing in the stream's middle, of which the broker is asked for a list
)

// compare finds out what the stream has lost since it acknowledged it, and
// gives it back to the outbox. It comes first on every connection: once
// something new was published and marked, the highest mark would be right again
// and hide what is missing at the end.
//
// The end: it asks the stream for the message at the highest mark. If that is the
// event of the mark, nothing is missing there. If not, it walks back, twice as far
// each time, to a mark that is right, and everything above that is published
// again. That is up to twice as much as was lost; the consumers know what they
// had. The sequence number that the stream ends at proves nothing by itself: other
// relays move it on.
//
// The beginning and the middle: a purge or a deletion leaves the highest mark
// right. So marks below the stream's first message, and in its gaps, are compared
// as well.
func (p *publisher) compare(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	stream, err := p.js.Stream(ctx, Stream)
	if err != nil {
		return fmt.Errorf("look at the stream: %w", err)
	}
	now, before := stream.CachedInfo(), p.compared
	within := p.relay.retention
	if now.Config.MaxAge > 0 {
		within = min(within, now.Config.MaxAge) // what is older cannot be expected there
	}
	end := int64(0) // made anew while this relay worked, it has nothing of what is marked
	if before == nil || before.Created.Equal(now.Created) {
		if end, err = p.rightEnd(ctx, stream, within); err != nil {
			return err
		}
	}
	lost, err := p.unmark(ctx, end, math.MaxInt64, within)
	if err == nil && !discards(now.Config) {
		var purged, deleted int64
		purged, err = p.unmark(ctx, 0, int64(now.State.FirstSeq), within)
		if err == nil {
			deleted, err = p.unmarkGaps(ctx, stream, within)
		}
		lost += purged + deleted
	}
	if lost > 0 {
		p.relay.metrics.lost.Add(float64(lost))
		p.relay.log.ErrorContext(ctx, "the stream lost events that it had acknowledged; publishing again", "events", lost,
			"stream_first", now.State.FirstSeq, "stream_last", now.State.LastSeq, "stream_gaps", now.State.NumDeleted)
	}
	if err == nil {
		p.stream, p.compared, p.looked = stream, now, time.Now()
	}
	return err
}

// look compares again, now and then, if the stream is not what it was at the last
// comparison. A purge does not end the connection. A relay that stops leaves this to
// the next.
func (p *publisher) look(ctx, last context.Context) error {
	if ctx.Err() != nil || time.Since(p.looked) < lookEvery*p.relay.poll {
		return nil
	}
	ask, cancel := context.WithTimeout(last, stepTimeout)
	defer cancel()
	now, err := p.stream.Info(ask)
	if err != nil {
		return fmt.Errorf("look at the stream: %w", err)
	}
	p.looked = time.Now()
	was, is := p.compared.State, now.State
	if discards(now.Config) || now.Created.Equal(p.compared.Created) &&
		is.FirstSeq == was.FirstSeq && is.NumDeleted == was.NumDeleted && is.LastSeq >= was.LastSeq {
		return nil
	}
	return p.compare(last)
}

// discards reports whether the stream forgets messages for other reasons than
// their age. Then it may be right that one is not there, and to publish it again
// would only push out the next. What [Provision] makes does not.
func discards(c jetstream.StreamConfig) bool {
	return c.Retention != jetstream.LimitsPolicy || c.MaxMsgsPerSubject > 0 ||
		c.Discard == jetstream.DiscardOld && (c.MaxBytes > 0 || c.MaxMsgs > 0)
}

// rightEnd is the sequence number from which on no mark is right.
func (p *publisher) rightEnd(ctx context.Context, stream jetstream.Stream, within time.Duration) (end int64, err error) {
	// What lies beyond the end is lost for certain and need not be asked for.
	end = int64(stream.CachedInfo().State.LastSeq) + 1
	for stride := 1; ; stride *= 2 {
		id, seq, found, err := p.markBelow(ctx, end, stride, within)
		if err != nil {
			return 0, err
		}
		if !found {
			return end, nil // no mark is right: a new stream
		}
		has, err := stores(ctx, stream, uint64(seq), id)
		if err != nil {
			return 0, err
		}
		if has {
			return seq + 1, nil
		}
		end = seq
	}
}

// unmarkGaps gives back what was deleted from the middle of the stream.
func (p *publisher) unmarkGaps(ctx context.Context, stream jetstream.Stream, within time.Duration) (total int64, err error) {
	switch gaps := stream.CachedInfo().State.NumDeleted; {
	case gaps == 0:
		return 0, nil
	case gaps > mostGaps:
		if p.compared == nil || gaps > p.compared.State.NumDeleted {
			p.relay.log.ErrorContext(ctx, "the stream has too many gaps to compare them; publish again what was lost there, by lab republish",
				"stream_gaps", gaps, "most", mostGaps)
		}
		return 0, nil
	}
	info, err := stream.Info(ctx, jetstream.WithDeletedDetails(true))
	if err != nil {
		return 0, fmt.Errorf("ask for the stream's gaps: %w", err)
	}
	for gaps := range slices.Chunk(info.State.Deleted, unmarkBatch) {
		seqs := make([]int64, len(gaps))
		for i, seq := range gaps {
			seqs[i] = int64(seq)
		}
		done, err := p.conn.Exec(ctx, `
			update outbox
			set stream_seq = null
			from unnest($1::bigint[]) as gap (seq)
			where stream_seq = gap.seq and published_at > now() - $2::interval`, seqs, within)
		if err != nil {
			return total, fmt.Errorf("take back the marks of %s: %w", p.relay.source, err)
		}
		total += done.RowsAffected()
	}
	return total, nil
}

// markBelow is the nth mark below a sequence number, counted downwards, or the
// lowest if there are fewer. Marks older than the retention do not count: the
// consumers may have forgotten those events and would take them for new.
func (p *publisher) markBelow(ctx context.Context, seq int64, nth int, within time.Duration) (id uuid.UUID, mark int64, found bool, err error) {
	err = p.conn.QueryRow(ctx, `
		select id, stream_seq
		from (
		  select id, stream_seq
		  from outbox
		  where stream_seq < $1 and published_at > now() - $3::interval
		  order by stream_seq desc
		  limit $2) as below
		order by stream_seq
		limit 1`, seq, nth, within).Scan(&id, &mark)
	if errors.Is(err, pgx.ErrNoRows) {
		return uuid.Nil, 0, false, nil
	}
	if err != nil {
		return uuid.Nil, 0, false, fmt.Errorf("read the marks of %s: %w", p.relay.source, err)
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
	return header(msg.Header, headerID) == id.String(), nil
}

// unmark gives what is marked from one sequence number up to another, excluded,
// back to the outbox. It goes from the top down: if it is interrupted, the highest
// mark is still a wrong one, and the next comparison goes on from there.
func (p *publisher) unmark(ctx context.Context, from, to int64, within time.Duration) (total int64, err error) {
	for {
		done, err := p.conn.Exec(ctx, `
			with top as materialized ( -- once; a subquery might be run again for each row
			  select id
			  from outbox
			  where stream_seq >= $1 and stream_seq < $2 and published_at > now() - $3::interval
			  order by stream_seq desc
			  limit $4
			)
			update outbox
			set stream_seq = null
			from top
			where outbox.id = top.id`, from, to, within, unmarkBatch)
		if err != nil {
			return total, fmt.Errorf("take back the marks of %s: %w", p.relay.source, err)
		}
		total += done.RowsAffected()
		if done.RowsAffected() < unmarkBatch {
			return total, nil
		}
	}
}

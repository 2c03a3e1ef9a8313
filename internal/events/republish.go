package events

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"banyan/internal/postgres"
)

// Range is a part of what an outbox has published. Its zero value is all of it.
type Range struct {
	Since time.Time // written then or later
	Until time.Time // written before
	Type  string    // of this type only
}

// Republish takes back the marks of published events, so that the relay publishes
// them again, and returns how many. The relay itself does the work, within a second
// or so: the one who asks needs no broker.
//
// Events that were published more than a day ago are left alone, also if their rows
// are still there: the consumers may have forgotten them and would take them for
// new. Within the broker's duplicate window of two minutes the relay only finds
// them on the stream, if they are there, and marks them again.
func Republish(ctx context.Context, q postgres.Querier, r Range) (total int64, err error) {
	// In steps, since each statement has its time limit. Events that the relay has
	// published again meanwhile are behind the last one.
	var last, seq int64
	if err := q.QueryRow(ctx, `select coalesce(max(stream_seq), 0) from outbox`).Scan(&last); err != nil {
		return 0, fmt.Errorf("look at the outbox: %w", err)
	}
	for {
		var count int64
		var reached *int64
		err := q.QueryRow(ctx, `
			with step as materialized (
			  select id, stream_seq, type, created_at, published_at
			  from outbox
			  where stream_seq > @after and stream_seq <= @last
			  order by stream_seq
			  limit @step
			), taken as (
			  update outbox
			  set stream_seq = null
			  from step
			  where outbox.id = step.id
			    and outbox.stream_seq = step.stream_seq
			    and step.published_at > now() - @retention::interval
			    and (@since::timestamptz is null or step.created_at >= @since)
			    and (@until::timestamptz is null or step.created_at < @until)
			    and (@type = '' or step.type = @type)
			  returning 1
			)
			select (select count(*) from taken), (select max(stream_seq) from step)`,
			pgx.NamedArgs{
				"after": seq, "last": last, "step": unmarkBatch, "retention": outboxRetention,
				"since": orNull(r.Since), "until": orNull(r.Until), "type": r.Type,
			}).Scan(&count, &reached)
		if err != nil {
			return total, fmt.Errorf("take back the marks of the outbox: %w", err)
		}
		total += count
		if reached == nil {
			return total, nil
		}
		seq = *reached
	}
}

func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

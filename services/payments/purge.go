package main

import (
	"context"
	"time"

	"github.com/google/uuid"

	"banyan/internal/postgres"
)

const (
	purgeEvery = 60 // turns of the refunds
	purgeBatch = 1000
	// firstWithin is up to which age an order may be charged for the first time.
	firstWithin = 7 * 24 * time.Hour
	// keepVoid is for how long a void payment is kept; a day longer, for clocks that are apart.
	keepVoid = firstWithin + 24*time.Hour
)

// purge forgets void payments. Each is the tombstone of an order that was cancelled,
// never of one that is pending. It refuses a charge that comes late, such as from a
// worker that was stopped in the middle and goes on a week later. When it is gone,
// the order's age refuses that charge (see tooOld), for an order is older than its
// tombstone: no charge gets through, however late.
//
// It works in batches, so that no statement holds many locks for long. What another
// instance purges, it leaves alone.
func (s *Service) purge(ctx context.Context) error {
	for {
		n, err := purgeVoid(ctx, s.pool)
		if err != nil || n < purgeBatch {
			return err
		}
	}
}

// tooOld reports whether the tombstone of an order may be forgotten. The order's id, a
// UUIDv7, says when it was placed.
func tooOld(orderID uuid.UUID) bool {
	seconds, nanoseconds := orderID.Time().UnixTime()
	return orderID.Version() == 7 && time.Since(time.Unix(seconds, nanoseconds)) > firstWithin
}

func purgeVoid(ctx context.Context, q postgres.Querier) (int64, error) {
	done, err := q.Exec(ctx, `
		with old as materialized ( -- once; a subquery might be run again for each row
			select id
			from payments
			where status = 'void' and created_at < now() - $1::interval
			limit $2
			for update skip locked
		)
		delete from payments p
		using old
		where p.id = old.id`, keepVoid, purgeBatch)
	return done.RowsAffected(), err
}

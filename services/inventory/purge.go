package main

import (
	"context"
	"time"

	"github.com/google/uuid"

	"banyan/internal/postgres"
)

const (
	purgeBatch = 1000
	// firstWithin is up to which age an order may reserve for the first time.
	firstWithin = 7 * 24 * time.Hour
	// keepRefused is for how long a refusal is kept; a day longer, for clocks that are apart.
	keepRefused = firstWithin + 24*time.Hour
)

// purge forgets refused reservations. A refusal is a tombstone: as long as its order may
// be pending, a reservation may be asked for again, and must not find the place empty.
// When the order ends, inventory need not hear of it: an order that is sold out within
// its request leaves no event. So nothing here says whether an order is still pending.
// What does not depend on it is age: an order that is older than firstWithin and has no
// row is refused for that alone (see tooOld). So is every order whose refusal was
// purged, for an order is older than its refusal.
//
// It works in batches, so that no statement holds many locks for long. What another
// instance purges, it leaves alone.
func (s *Service) purge(ctx context.Context) error {
	for {
		n, err := purgeRefused(ctx, s.pool)
		if err != nil || n < purgeBatch {
			return err
		}
	}
}

// tooOld reports whether the refusal of an order may be forgotten. The order's id, a
// UUIDv7, says when it was placed.
func tooOld(orderID uuid.UUID) bool {
	seconds, nanoseconds := orderID.Time().UnixTime()
	return orderID.Version() == 7 && time.Since(time.Unix(seconds, nanoseconds)) > firstWithin
}

func purgeRefused(ctx context.Context, q postgres.Querier) (int64, error) {
	done, err := q.Exec(ctx, `
		with old as materialized ( -- once; a subquery might be run again for each row
			select order_id
			from reservations
			where status = 'refused' and created_at < now() - $1::interval
			limit $2
			for update skip locked
		)
		delete from reservations r
		using old
		where r.order_id = old.order_id`, keepRefused, purgeBatch)
	return done.RowsAffected(), err
}

package main

import (
	"context"
	"log/slog"
	"time"

	"banyan/internal/postgres"
)

const (
	purgeEvery = time.Minute
	purgeBatch = 1000
	// keepSales is for how long every order is kept, at least: as long as the inbox, for an
	// event may come again until then.
	keepSales = 7 * 24 * time.Hour
	// keepSold is how many sold orders are kept. The bestsellers need 3,333; the others
	// take the places of those that are cancelled later. So it can't cover more than 6,667
	// cancellations among the newest 10,000: then the bestsellers count fewer orders.
	keepSold = 10_000
)

// Run forgets orders that the bestsellers don't need any more, until ctx ends.
func (s *Service) Run(ctx context.Context, log *slog.Logger) error {
	tick := time.NewTicker(purgeEvery)
	defer tick.Stop()
	for {
		if err := s.purge(ctx, keepSold); err != nil && ctx.Err() == nil {
			log.ErrorContext(ctx, "purge old sales", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// purge works in batches, so that no statement holds many locks for long. What another
// instance purges, or a consumer changes, it leaves alone.
func (s *Service) purge(ctx context.Context, sold int) error {
	for _, purge := range []func(context.Context, postgres.Querier) (int64, error){
		purgeCancelled,
		func(ctx context.Context, q postgres.Querier) (int64, error) { return purgeSold(ctx, q, sold) },
	} {
		for {
			n, err := purge(ctx, s.pool)
			if err != nil {
				return err
			}
			if n < purgeBatch {
				break
			}
		}
	}
	return nil
}

// purgeCancelled forgets cancellations that no order.paid can come after any more.
func purgeCancelled(ctx context.Context, q postgres.Querier) (int64, error) {
	done, err := q.Exec(ctx, `
		with old as materialized ( -- once; a subquery might be run again for each row
			select order_id
			from recent_orders
			where cancelled and heard_at < now() - $1::interval
			limit $2
			for update skip locked
		), lines as (
			delete from recent_order_items i
			using old
			where i.order_id = old.order_id
		)
		delete from recent_orders r
		using old
		where r.order_id = old.order_id`, keepSales, purgeBatch)
	return done.RowsAffected(), err
}

// purgeSold forgets sold orders beyond the newest.
func purgeSold(ctx context.Context, q postgres.Querier, keep int) (int64, error) {
	done, err := q.Exec(ctx, `
		with old as materialized (
			select order_id
			from recent_orders
			where not cancelled and heard_at < now() - $1::interval and (placed_at, order_id) < (
				select placed_at, order_id
				from recent_orders
				where not cancelled
				order by placed_at desc, order_id desc
				offset $2
				limit 1
			)
			limit $3
			for update skip locked
		), lines as (
			delete from recent_order_items i
			using old
			where i.order_id = old.order_id
		)
		delete from recent_orders r
		using old
		where r.order_id = old.order_id`, keepSales, keep-1, purgeBatch)
	return done.RowsAffected(), err
}

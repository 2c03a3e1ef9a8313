package invariants

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// unrest names what is under way in the databases. Each question is answered by a small partial index.
const (
	unrest = `
	select 'an order is pending' where exists (select from orders.orders where status = 'pending')
	union all
	select 'a payment is pending' where exists (select from payments.payments where status = 'pending')
	union all
	select 'a refund is due'
	where exists (select from payments.payments where status = 'captured' and refund_requested_at is not null)
	union all
	select 'a mail is queued' where exists (select from notifications.notifications where status = 'queued')`
	unrestOfWishes = `
	union all
	select 'a wish to cancel is open'
	where exists (select from orders.orders where cancel_requested_at is not null and status = 'paid')`
	unrestOfReservations = `
	union all
	select 'a book has copies reserved' where exists (select from inventory.reservations where status = 'reserved')`
	unrestOfArea = `
	union all
	select 'an event of @area is not published' where exists (select from @area.outbox where stream_seq is null)`
)

// Settle waits until nothing is under way: no order pending, every outbox empty, every consumer idle, all refunds made and
// all mail sent. It returns what still is when the time is over, which is nothing if the shop came to rest; and what it
// waited for last.
func (s *Shop) Settle(ctx context.Context, within time.Duration) (left, last []string, err error) {
	statement := unrest
	if s.where.step() >= withReserved {
		statement += unrestOfReservations
	}
	if s.where.step() >= withWishes {
		statement += unrestOfWishes
	}
	return s.wait(ctx, within, 100*time.Millisecond, statement+s.unpublished())
}

// Drain waits for less: until every event has had its effects, and those of these. It returns what is left when the time is
// over. It looks again and again without a longer and longer pause, for it is used beside a clock.
func (s *Shop) Drain(ctx context.Context, within time.Duration) (left []string, err error) {
	if s.stream == nil {
		return nil, nil
	}
	left, _, err = s.wait(ctx, within, shortestPause, "select '' where false"+s.unpublished())
	return left, err
}

func (s *Shop) unpublished() (statement string) {
	for _, area := range s.where.schemas() {
		statement += strings.ReplaceAll(unrestOfArea, "@area", area)
	}
	return statement
}

const shortestPause = 3 * time.Millisecond

// wait takes two looks in a row to believe that nothing is under way: the broker acknowledges an event a moment before
// its consumers have it to do.
func (s *Shop) wait(ctx context.Context, within, longestPause time.Duration, statement string) (left, last []string, err error) {
	pause, quiet := shortestPause, 0
	for deadline := time.Now().Add(within); ; {
		left, err := s.underWay(ctx, statement)
		if quiet++; len(left) > 0 {
			quiet, last = 0, left
		}
		if err != nil || quiet == 2 || len(left) > 0 && time.Now().After(deadline) {
			return left, last, err
		}
		wait := pause
		if quiet > 0 {
			wait = shortestPause
		}
		select {
		case <-ctx.Done():
			return nil, nil, context.Cause(ctx)
		case <-time.After(wait):
		}
		pause = min(2*pause, longestPause)
	}
}

// underWay asks in an order that matters. If no consumer has anything to do, nobody writes events any more; so one
// would still be in an outbox, which is asked next, or has been published in between, which the stream's last number tells.
func (s *Shop) underWay(ctx context.Context, statement string) (left []string, err error) {
	var before uint64
	if s.stream != nil {
		if before, err = s.published(ctx); err != nil {
			return nil, err
		}
		v, err := s.handled(ctx)
		if err != nil || v.Broken > 0 {
			return v.Offenders, err
		}
	}
	rows, err := s.pool.Query(ctx, s.where.inSchemas(statement))
	if err != nil {
		return nil, fmt.Errorf("look what is under way: %w", err)
	}
	left, err = pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("look what is under way: %w", err)
	}
	if s.stream == nil || len(left) > 0 {
		return left, nil
	}
	after, err := s.published(ctx)
	if err == nil && after != before {
		left = []string{"an event was just published"}
	}
	return left, err
}

// Events is how many events went through the broker.
func (s *Shop) Events(ctx context.Context) (published, delivered int64, err error) {
	last, err := s.published(ctx)
	if err != nil {
		return 0, 0, err
	}
	v, err := s.handled(ctx)
	return int64(last), v.Checked, err
}

// published is the number of the stream's last event.
func (s *Shop) published(ctx context.Context) (uint64, error) {
	info, err := s.stream.Info(ctx)
	if err != nil {
		return 0, fmt.Errorf("look at the stream of events: %w", err)
	}
	return info.State.LastSeq, nil
}

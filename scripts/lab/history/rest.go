package history

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"banyan/scripts/lab/shop"
	"banyan/scripts/lab/up"
)

// unrest counts what is still under way in the databases, by what it is.
const unrest = `
	select 'orders pending' as what, count(*) from orders.orders where status = 'pending'
	union all
	select 'payments pending', count(*) from payments.payments where status = 'pending'
	union all
	select 'refunds due', count(*) from payments.payments where status = 'captured' and refund_requested_at is not null
	union all
	select 'mails queued', count(*) from notifications.notifications where status = 'queued'`

// fleetUnrest is what only services have; an area's outbox and dead letters come on top.
const fleetUnrest = `
	union all
	select 'reservations open', count(*) from inventory.reservations where status = 'reserved'
	union all
	select 'cancellations open', count(*) from orders.orders where cancel_requested_at is not null and status = 'paid'`

const areaUnrest = `
	union all
	select 'events not published by @area', count(*) from @area.outbox where stream_seq is null
	union all
	select 'dead letters of @area', count(*) from @area.dead_letters where replayed_at is null`

type count struct {
	What  string
	Count int64
}

// Await waits until nothing is under way any more. It returns what still is when the time is over, and otherwise what
// was the last.
func (e *Evidence) Await(ctx context.Context, within time.Duration) (left, last []string, err error) {
	for deadline := time.Now().Add(within); ; {
		left, err := e.underWay(ctx)
		if err != nil {
			return nil, nil, err
		}
		if len(left) == 0 || time.Now().After(deadline) {
			return left, last, nil
		}
		last = left
		if err := shop.Pause(ctx, 100*time.Millisecond); err != nil {
			return nil, nil, err
		}
	}
}

// underWay names what has not come to rest.
func (e *Evidence) underWay(ctx context.Context) ([]string, error) {
	statement := unrest
	if e.shop.Side == up.Services {
		statement += fleetUnrest
		for _, area := range Areas {
			statement += strings.ReplaceAll(areaUnrest, "@area", area)
		}
	}
	counts, err := rows[count](ctx, e, statement)
	if err != nil {
		return nil, err
	}
	if e.nats != "" {
		unread, err := unreadEvents(ctx, e.nats)
		if err != nil {
			return nil, err
		}
		counts = append(counts, unread...)
	}
	var left []string
	for _, c := range counts {
		if c.Count > 0 {
			left = append(left, fmt.Sprintf("%d %s", c.Count, c.What))
		}
	}
	return left, nil
}

// unreadEvents counts, for each consumer, the events that it has not dealt with.
func unreadEvents(ctx context.Context, natsURL string) ([]count, error) {
	conn, err := nats.Connect(natsURL, nats.Name("lab"), nats.Timeout(5*time.Second))
	if err != nil {
		return nil, fmt.Errorf("reach the broker: %w", err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, fmt.Errorf("use JetStream: %w", err)
	}
	stream, err := js.Stream(ctx, "EVENTS")
	if err != nil {
		return nil, fmt.Errorf("look at the stream: %w", err)
	}
	var counts []count
	consumers := stream.ListConsumers(ctx)
	for consumer := range consumers.Info() {
		unread := int64(consumer.NumPending) + int64(consumer.NumAckPending)
		counts = append(counts, count{"events not handled by " + consumer.Name, unread})
	}
	if err := consumers.Err(); err != nil {
		return nil, fmt.Errorf("look at the consumers: %w", err)
	}
	return counts, nil
}

package chaos

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"banyan/internal/postgres"
	"banyan/scripts/lab/invariants"
	"banyan/scripts/lab/shop"
	"banyan/scripts/lab/up"
)

// backlog looks past the shop at what waits in it: events in the outboxes, and in front of the consumers.
type backlog struct {
	pool *pgxpool.Pool
	nats *nats.Conn
	js   jetstream.JetStream
}

// openBacklog returns nil for a shop that has no events.
func openBacklog(ctx context.Context, side, databaseURL, natsURL string) (*backlog, error) {
	if side != up.Services {
		return nil, nil
	}
	config, err := postgres.ParsePoolConfig(databaseURL)
	if err != nil {
		return nil, fmt.Errorf("read the database's URL")
	}
	config.MaxConns = 1
	b := &backlog{}
	if b.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, fmt.Errorf("reach the database: %w", err)
	}
	if b.nats, err = nats.Connect(natsURL, nats.Name("lab"), nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond)); err != nil {
		b.pool.Close()
		return nil, fmt.Errorf("reach the broker: %w", err)
	}
	if b.js, err = jetstream.New(b.nats); err != nil {
		b.close()
		return nil, fmt.Errorf("use JetStream: %w", err)
	}
	return b, nil
}

func (b *backlog) close() {
	if b != nil {
		b.nats.Close()
		b.pool.Close()
	}
}

// gone waits until all that waited at a moment is dealt with, and says how long after the moment that was. Customers go on
// buying meanwhile, so there is always something; but once a queue has been seen empty, nothing is in it of before. The
// consumers' count only once the outboxes have been: what waits there comes to them.
func (b *backlog) gone(ctx context.Context, since time.Time, within time.Duration) (took time.Duration, yes bool, err error) {
	seen := map[string]bool{} // empty, by what it is
	for deadline := time.Now().Add(within); time.Now().Before(deadline); {
		if n, err := b.waiting(ctx, seen); err == nil && n == 0 {
			return time.Since(since), true, nil
		}
		if err := shop.Pause(ctx, 25*time.Millisecond); err != nil {
			return 0, false, err
		}
	}
	return 0, false, nil
}

// waiting says how many queues have not been seen empty. A server that cannot be asked at the moment is asked again.
func (b *backlog) waiting(ctx context.Context, seen map[string]bool) (n int, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	var questions []string
	for _, area := range invariants.Areas {
		if !seen[area] {
			questions = append(questions, strings.ReplaceAll(
				`select '@area', exists (select from @area.outbox where stream_seq is null)`, "@area", area))
		}
	}
	if len(questions) > 0 {
		rows, err := b.pool.Query(ctx, strings.Join(questions, " union all "))
		if err != nil {
			return 0, err
		}
		var area string
		var some bool
		_, err = pgx.ForEachRow(rows, []any{&area, &some}, func() error {
			if !some {
				seen[area] = true
			} else {
				n++
			}
			return nil
		})
		if err != nil || n > 0 {
			return n, err
		}
	}
	stream, err := b.js.Stream(ctx, "EVENTS")
	if err != nil {
		return 0, err
	}
	consumers, found := stream.ListConsumers(ctx), 0
	for consumer := range consumers.Info() {
		found++
		name := "consumer " + consumer.Name
		if seen[name] = seen[name] || consumer.NumPending == 0 && consumer.NumAckPending == 0; !seen[name] {
			n++
		}
	}
	if err := consumers.Err(); err != nil {
		return 0, err
	}
	if found == 0 {
		return 1, nil // they were lost with the stream, and are about to be made again
	}
	return n, nil
}

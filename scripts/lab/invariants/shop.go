package invariants

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"banyan/internal/events"
	"banyan/internal/postgres"
)

// Verdict is what one rule says of a shop.
type Verdict struct {
	Rule    string `json:"rule"`    // what should be
	Checked int64  `json:"checked"` // rows looked at
	Broken  int64  `json:"broken"`
	// Offenders names the first of those that break it.
	Offenders []string `json:"offenders,omitempty"`
}

// Shop is a shop to be judged.
type Shop struct {
	where  Where
	pool   *pgxpool.Pool
	nats   *nats.Conn       // nil where there are no events
	stream jetstream.Stream // nil where there are no events
}

// Open connects to what a shop leaves behind. Close it afterwards.
func Open(ctx context.Context, where Where) (*Shop, error) {
	config, err := postgres.ParsePoolConfig(where.Database)
	if err != nil {
		return nil, fmt.Errorf("read the URL of the database of the %s", where.Side) // the cause would show the password
	}
	config.MaxConns = 2
	config.ConnConfig.RuntimeParams["application_name"] = "lab"
	s := &Shop{where: where}
	if s.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, fmt.Errorf("reach the database of the %s: %w", where.Side, err)
	}
	if where.step() < withEvents {
		return s, nil
	}
	if s.nats, err = nats.Connect(where.Broker, nats.Name("invariants"), nats.Timeout(5*time.Second),
		nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond)); err != nil {
		s.Close()
		return nil, fmt.Errorf("reach the broker: %w", err)
	}
	js, err := jetstream.New(s.nats)
	if err == nil {
		s.stream, err = js.Stream(ctx, events.Stream)
	}
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("look at the stream of events: %w", err)
	}
	return s, nil
}

// BrokerVersion is what the broker says of itself. Of services only.
func (s *Shop) BrokerVersion() string { return s.nats.ConnectedServerVersion() }

// Close lets go of the connections.
func (s *Shop) Close() {
	if s.nats != nil {
		s.nats.Close()
	}
	s.pool.Close()
}

// Check gives the verdicts, in the order of the rules.
//
// It looks at the broker before it reads the database, and after: one quick look misses an event that is acknowledged and
// not yet its consumers' to handle.
func (s *Shop) Check(ctx context.Context) ([]Verdict, error) {
	outside, err := s.witness(ctx)
	if err != nil {
		return nil, err
	}
	var handled Verdict
	if s.stream != nil {
		if handled, err = s.handled(ctx); err != nil {
			return nil, err
		}
	}
	tx, err := s.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	if err != nil {
		return nil, fmt.Errorf("reach the database of the %s: %w", s.where.Side, err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // the temporary tables go with it
	verdicts, err := judge(ctx, tx, s.where, outside)
	if err != nil {
		return nil, fmt.Errorf("judge the %s: %w", s.where.Side, err)
	}
	if s.stream == nil {
		return verdicts, nil
	}
	if handled.Broken == 0 {
		if handled, err = s.handled(ctx); err != nil {
			return nil, err
		}
	}
	return append(verdicts, handled), nil
}

// handled judges the broker: every consumer has dealt with every event.
func (s *Shop) handled(ctx context.Context) (Verdict, error) {
	v := Verdict{Rule: "every event is handled"}
	consumers := s.stream.ListConsumers(ctx)
	for consumer := range consumers.Info() {
		if !s.where.consumer(consumer.Name) {
			continue
		}
		v.Checked += int64(consumer.Delivered.Consumer)
		if left := int64(consumer.NumPending) + int64(consumer.NumAckPending); left > 0 {
			v.Broken += left
			v.Offenders = append(v.Offenders, fmt.Sprintf("%s has %d events to deal with", consumer.Name, left))
		}
	}
	if err := consumers.Err(); err != nil {
		return v, fmt.Errorf("look at the consumers: %w", err)
	}
	return v, nil
}

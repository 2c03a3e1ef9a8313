package bench

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"banyan/internal/events"
	"banyan/internal/postgres"
	"banyan/scripts/lab/up"
)

// flow is the way of the events: from the outboxes of the services through the broker's stream to the
// consumers.
type flow struct {
	nats   *nats.Conn
	stream jetstream.Stream
	// The outboxes are counted in the database itself: asking the processes again and again would be work of theirs.
	sql     *pgx.Conn
	waiting string // the statement that counts
}

// openFlow connects to the broker and finds the outboxes. A lab without services has neither, and the flow is nil.
func openFlow(ctx context.Context, state *up.State) (*flow, error) {
	if state.NATSURL == "" {
		return nil, nil
	}
	f := &flow{}
	err := f.open(ctx, state)
	if err != nil {
		f.close(ctx)
		return nil, err
	}
	return f, nil
}

func (f *flow) open(ctx context.Context, state *up.State) (err error) {
	if f.nats, err = nats.Connect(state.NATSURL, nats.Name("bench"), nats.Timeout(5*time.Second)); err != nil {
		return fmt.Errorf("connect to NATS: %w", err)
	}
	js, err := jetstream.New(f.nats)
	if err == nil {
		f.stream, err = js.Stream(ctx, events.Stream)
	}
	if err != nil {
		return fmt.Errorf("look at the stream of events: %w", err)
	}
	location, err := postgres.ParseConfig(state.Databases[up.Services])
	if err != nil {
		return fmt.Errorf("the lab does not tell where the services' database is") // the cause would show the password
	}
	location.RuntimeParams["application_name"] = benchName
	if f.sql, err = pgx.ConnectConfig(ctx, location); err != nil {
		return fmt.Errorf("connect to the services' database as its superuser: %w", err)
	}
	return f.findOutboxes(ctx)
}

func (f *flow) findOutboxes(ctx context.Context) error {
	rows, err := f.sql.Query(ctx, `
		select relnamespace::regnamespace::text
		from pg_class
		where relname = 'outbox' and relkind = 'r'
		order by 1`)
	if err != nil {
		return fmt.Errorf("look for the outboxes: %w", err)
	}
	schemas, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("look for the outboxes: %w", err)
	}
	if len(schemas) == 0 {
		return errors.New("the services' database has no outbox: nobody could tell when a round has ended")
	}
	var counts []string
	for _, schema := range schemas {
		counts = append(counts, "(select count(*) from "+schema+".outbox where stream_seq is null)")
	}
	f.waiting = "select " + strings.Join(counts, " + ")
	return nil
}

func (f *flow) close(ctx context.Context) {
	if f == nil {
		return
	}
	if f.nats != nil {
		f.nats.Close()
	}
	if f.sql != nil {
		_ = f.sql.Close(context.WithoutCancel(ctx))
	}
}

// eventCount is how many events went through the broker.
type eventCount struct{ published, delivered int64 }

// count asks the broker. Without one there are no events.
func (f *flow) count(ctx context.Context) (c eventCount, err error) {
	if f == nil {
		return c, nil
	}
	info, err := f.stream.Info(ctx)
	if err != nil {
		return c, fmt.Errorf("ask the broker for the stream: %w", err)
	}
	c.published = int64(info.State.LastSeq)
	consumers := f.stream.ListConsumers(ctx)
	for consumer := range consumers.Info() {
		c.delivered += int64(consumer.Delivered.Consumer)
	}
	if err := consumers.Err(); err != nil {
		return c, fmt.Errorf("ask the broker for the consumers: %w", err)
	}
	return c, nil
}

// drainedWithin is how long the events of one round may take to have their effects.
const drainedWithin = 60 * time.Second

// drain waits until every event has had its effects, and those of these.
func (f *flow) drain(ctx context.Context) error {
	if f == nil {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, drainedWithin,
		fmt.Errorf("the events of a round did not have their effects within %s", drainedWithin))
	defer cancel()
	for {
		waiting, err := f.onTheirWay(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil || waiting == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// onTheirWay is how many events are under way, or 1 if that cannot be told yet. The order of the questions
// matters. If no consumer has anything to do, nobody writes events any more; so an event would still be in an
// outbox, which is asked next, or has been published in between, which the stream's last number tells.
func (f *flow) onTheirWay(ctx context.Context) (uint64, error) {
	before, err := f.stream.Info(ctx)
	if err != nil {
		return 0, err
	}
	var waiting uint64
	consumers := f.stream.ListConsumers(ctx)
	for consumer := range consumers.Info() {
		waiting += consumer.NumPending + uint64(consumer.NumAckPending)
	}
	if err := consumers.Err(); err != nil || waiting > 0 {
		return waiting, err
	}
	if waiting, err = f.unpublished(ctx); err != nil || waiting > 0 {
		return waiting, err
	}
	after, err := f.stream.Info(ctx)
	if err == nil && after.State.LastSeq != before.State.LastSeq {
		waiting = 1
	}
	return waiting, err
}

func (f *flow) unpublished(ctx context.Context) (waiting uint64, err error) {
	if err := f.sql.QueryRow(ctx, f.waiting).Scan(&waiting); err != nil {
		return 0, fmt.Errorf("count what is in the outboxes: %w", err)
	}
	return waiting, nil
}

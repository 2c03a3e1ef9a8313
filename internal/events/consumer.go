package events

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"banyan/internal/fault"
)

// The consumer's limits.
const (
	redeliverAfter = 30 * time.Second       // unless acknowledged; a transaction takes handleTimeout at most
	handleTimeout  = 10 * time.Second       // for one transaction
	firstRedeliver = 100 * time.Millisecond // after a failure
	lastRedeliver  = 30 * time.Second       // after many
	fewTries       = 5                      // before an event is given up that was not rejected: 1.5 s
	outagePause    = 250 * time.Millisecond // of a worker that cannot write
	heartbeat      = 2 * time.Second        // of the broker, when it has nothing for us
	noteEvery      = time.Hour              // between two notes of how far this consumer has come
	prefetch       = 256                    // messages on their way to this process, and in it
	handleBatch    = 32                     // events in one transaction, unless the service wants fewer
)

// ConsumerConfig is what a consumer needs. AfterCommit, Workers, Batch
// and Poll may be left zero.
type ConsumerConfig struct {
	Name        string        // durable, and the inbox's key: the service's name, for ever
	Pool        *pgxpool.Pool // where the effects and the inbox are
	NATS        *nats.Conn    // made by Connect
	Log         *slog.Logger
	Metrics     prometheus.Registerer
	AfterCommit func()        // called after each commit: the Wake of the relay, where handlers emit events
	Workers     int           // transactions at once; 4 if zero
	Batch       int           // events in one transaction, at most; 32 if zero. 1 where each event locks several rows, unless OnBatch sorts them
	Poll        time.Duration // between two looks for dead letters to replay; 1 s if zero
}

// Consumer gives events to handlers, so that each event has its effect once.
// Several instances under one name share the work.
type Consumer struct {
	name        string
	pool        *pgxpool.Pool
	nats        *nats.Conn
	log         *slog.Logger
	afterCommit func()
	workers     int
	batch       int
	poll        time.Duration

	handlers   map[string]handler
	queued     map[string]queuer // of those, the ones that only queue
	batched    []batchQueuer     // of those, the ones that get several events at once
	metrics    *consumerMetrics
	database   *health
	lookedBack atomic.Bool // at what the stream no longer has
}

type (
	handler func(ctx context.Context, tx pgx.Tx, e Event) error
	queuer  func(ctx context.Context, b *pgx.Batch, e Event) error
)

// NewConsumer makes a consumer and registers its metrics. Give it handlers by
// [On], then start it with Run.
func NewConsumer(c ConsumerConfig) *Consumer {
	log := c.Log.With("component", "consumer")
	consumer := &Consumer{
		name: c.Name, pool: c.Pool, nats: c.NATS, log: log,
		afterCommit: func() {},
		workers:     4,
		batch:       handleBatch,
		poll:        time.Second,
		handlers:    map[string]handler{},
		queued:      map[string]queuer{},
		metrics:     newConsumerMetrics(c.Metrics),
		database:    &health{log: log, what: "writing the effects of events"},
	}
	if c.AfterCommit != nil {
		consumer.afterCommit = c.AfterCommit
	}
	if c.Workers > 0 {
		consumer.workers = c.Workers
	}
	if c.Batch > 0 {
		consumer.batch = c.Batch
	}
	if c.Poll > 0 {
		consumer.poll = c.Poll
	}
	return consumer
}

// On makes handle the handler of events of one type; call it before Run. T
// declares the fields that the handler reads, and those only: what else the
// event holds is none of this service's business, and may change. If T has a
// method Validate() error, it is asked first.
//
// The handler writes its effects with tx and does nothing else: it may run
// again, after a rollback that was none of its doing. What it returns decides:
//
//   - nil: its effects are committed, and the event does not come again;
//   - a fault of the kind Malformed or Invalid: this event will never do, and
//     becomes a dead letter;
//   - an error of PostgreSQL or its driver about the values (a NUL in a text, a
//     number out of range, a constraint), unless a fault explains it: rolled back,
//     and a dead letter after five tries;
//   - anything else, such as something missing that another event will bring:
//     rolled back, and tried again later. An event that still fails when it is
//     48 hours old becomes a dead letter.
//
// Events come in no particular order.
func On[T any](c *Consumer, typ string, handle func(ctx context.Context, tx pgx.Tx, e Event, data T) error) {
	c.handlers[typ] = func(ctx context.Context, tx pgx.Tx, e Event) error {
		data, err := read[T](e)
		if err != nil {
			return err
		}
		return handle(ctx, tx, e, data)
	}
}

// rejected reports whether trying again is pointless.
func rejected(err error) bool {
	kind := fault.KindOf(err)
	return kind == fault.Malformed || kind == fault.Invalid
}

// Run handles events until ctx ends, finishes those that are here already, and
// returns nil. It outlives every failure of the database and of the broker.
func (c *Consumer) Run(ctx context.Context) error {
	c.lookedBack.Store(false)
	if len(c.handlers) == 0 {
		return fmt.Errorf("consumer %s has no handlers: call events.On before Run", c.name)
	}
	js, err := jetstream.New(c.nats)
	if err != nil {
		return fmt.Errorf("consumer %s: %w", c.name, err)
	}
	// What workers have begun, they finish: their context does not end with ctx.
	work := context.WithoutCancel(ctx)
	messages := make(chan jetstream.Msg, handleBatch)
	var group sync.WaitGroup
	for range c.workers {
		group.Go(func() { c.handleAll(work, messages) })
	}
	group.Go(func() { c.replayAll(ctx) })
	group.Go(func() { c.forget(ctx) })

	state := &health{log: c.log, what: "consuming"}
	for failures := uint64(0); ctx.Err() == nil; {
		began := time.Now()
		err := c.pull(ctx, js, messages, state)
		if ctx.Err() != nil {
			break
		}
		state.failed(ctx, explain(err))
		if time.Since(began) > lastRetry {
			failures = 0
		}
		failures++
		sleep(ctx, backoff(failures, firstRetry, lastRetry))
	}
	close(messages)
	group.Wait()
	return nil
}

// pull makes the durable consumer and passes its messages on until something
// fails or ctx ends. Making it each time also brings back one that was lost
// with its stream.
func (c *Consumer) pull(ctx context.Context, js jetstream.JetStream, messages chan<- jetstream.Msg, state *health) error {
	durable, err := c.prepare(ctx, js)
	if err != nil {
		return err
	}
	var noting sync.WaitGroup
	defer noting.Wait()
	note, cancel := context.WithCancel(ctx)
	defer cancel()
	noting.Go(func() { c.noteSeen(note, js) })
	incoming, err := durable.Messages(
		jetstream.PullMaxMessages(prefetch),
		jetstream.PullExpiry(10*time.Second),
		jetstream.PullHeartbeat(heartbeat), // two missed: the consumer is gone
	)
	if err != nil {
		return fmt.Errorf("pull messages for %s: %w", c.name, err)
	}
	defer incoming.Stop()
	defer context.AfterFunc(ctx, func() {
		if c.nats.IsConnected() {
			incoming.Drain() // what is in this process already is handled
		} else {
			incoming.Stop() // draining would wait for the broker's word
		}
	})()
	// It works once a message has come. If there is none, no missing heartbeat
	// has to do: two of them would have ended this by then.
	quiet := time.AfterFunc(3*heartbeat, func() { state.worked(ctx) })
	defer quiet.Stop()
	for {
		msg, err := incoming.Next()
		if errors.Is(err, jetstream.ErrMsgIteratorClosed) && ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("next message for %s: %w", c.name, err)
		}
		if quiet.Stop() {
			state.worked(ctx)
		}
		messages <- msg
	}
}

// prepare makes the durable consumer, or brings it up to date.
func (c *Consumer) prepare(ctx context.Context, js jetstream.JetStream) (jetstream.Consumer, error) {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	seen, err := c.lookBack(ctx, js)
	if err != nil {
		return nil, err
	}
	durable, err := js.CreateOrUpdateConsumer(ctx, Stream, jetstream.ConsumerConfig{
		Durable:        c.name,
		FilterSubjects: c.subjects(),
		AckPolicy:      jetstream.AckExplicitPolicy,
		AckWait:        redeliverAfter,
		MaxDeliver:     -1, // what is missing today may be there tomorrow; settle gives up by age
		// No limit: those that wait for another try would count, and keep the
		// others from coming, one of which may be what they wait for.
		MaxAckPending: -1,
		Metadata:      seenAt(seen),
	})
	if err != nil {
		return nil, fmt.Errorf("make the consumer %s: %w", c.name, err)
	}
	return durable, nil
}

// subjects are those of the types that have a handler, from whatever area.
func (c *Consumer) subjects() []string {
	var all []string
	for _, typ := range slices.Sorted(maps.Keys(c.handlers)) {
		all = append(all, subject("*", typ))
	}
	return all
}

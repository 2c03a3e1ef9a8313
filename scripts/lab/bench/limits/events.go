package limits

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"banyan/internal/events"
	"banyan/internal/local"
	"banyan/internal/postgres"
	"banyan/migrations"
	"banyan/scripts/lab/load"
)

const (
	eventRate   = 1000 // per second
	eventWarmUp = 500
	eventCount  = 4000
	eventDB     = "limits_events"
)

// note is the data of the events.
type note struct {
	Text string `json:"text"`
}

// eventDelay writes changes at a fixed rate, each in a transaction of its own, and measures from their commits to the
// commits of their effects in another schema: outbox, relay, NATS, consumer, inbox, all of them the shop's, on the
// lab's PostgreSQL and a broker with its defaults.
func eventDelay(ctx context.Context, w *world) (_ []Figure, err error) {
	lab := w.lab
	admin := lab.DatabaseURL("services")
	producer, consumer, err := eventSchemas(ctx, admin)
	if err != nil {
		return nil, err
	}
	defer producer.Close()
	defer consumer.Close()
	broker, err := local.StartNATS(ctx, local.NATSOptions{Dir: filepath.Join(w.dir, "nats")})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, broker.Stop(context.WithoutCancel(ctx))) }()

	took, err := eventTimes(ctx, broker.URL(), producer, consumer)
	if err != nil {
		return nil, err
	}
	slices.Sort(took)
	ms := func(at int) float64 { return float64(took[at].Microseconds()) / 1000 }
	notes := []string{fmt.Sprintf("%d changes at %d/s; synchronous_commit on, sync_interval of NATS at its default; "+
		"writer, relay and consumer in one process, each with its own connections", eventCount, eventRate)}
	return []Figure{
		{Key: "9 p50", Value: ms(len(took) / 2), Notes: notes},
		{Key: "9 p99", Value: ms(len(took) * 99 / 100), Notes: notes},
	}, nil
}

// eventSchemas makes a database with a producer's schema and a consumer's.
func eventSchemas(ctx context.Context, admin string) (producer, consumer *pgxpool.Pool, err error) {
	script, err := migrations.FS.ReadFile("catalog/00001_events.sql")
	if err != nil {
		return nil, nil, err
	}
	up, _, _ := strings.Cut(string(script), "-- +goose Down")
	conn, err := postgres.Connect(ctx, admin)
	if err != nil {
		return nil, nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, `create database `+eventDB); err != nil {
		return nil, nil, fmt.Errorf("make a database for events: %w", err)
	}
	open := func(schema, more string) (*pgxpool.Pool, error) {
		location, err := url.Parse(admin)
		if err != nil {
			return nil, errors.New("the database's URL can't be read")
		}
		location.Path = "/" + eventDB
		query := location.Query()
		query.Set("search_path", schema)
		location.RawQuery = query.Encode()
		pool, err := postgres.Open(ctx, location.String(), postgres.Options{MaxConns: 8})
		if err != nil {
			return nil, err
		}
		own, err := pool.Acquire(ctx)
		if err != nil {
			return nil, err
		}
		defer own.Release()
		_, err = own.Conn().PgConn().Exec(ctx, "create schema "+schema+";\n"+up+more).ReadAll()
		return pool, err
	}
	if producer, err = open("producer", ""); err != nil {
		return nil, nil, err
	}
	consumer, err = open("consumer", "create table effects (event_id uuid, text text);")
	return producer, consumer, err
}

// eventTimes runs a relay and a consumer, writes the changes and waits for their effects.
func eventTimes(ctx context.Context, brokerURL string, producer, consumer *pgxpool.Pool) (_ []time.Duration, err error) {
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	nc, err := events.Connect(ctx, brokerURL, "limits", log)
	if err != nil {
		return nil, err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, err
	}
	if err := events.Provision(ctx, js); err != nil {
		return nil, err
	}

	relay := events.NewRelay(events.RelayConfig{
		Pool: producer, NATS: nc, Area: events.Only("catalog"), Source: "limits", Log: log, Metrics: prometheus.NewRegistry(),
	})
	commit, effect := make([]time.Time, eventWarmUp+eventCount), make([]time.Time, eventWarmUp+eventCount)
	var written []int // what the consumer's transaction holds that commits next
	var done atomic.Int64
	receiver := events.NewConsumer(events.ConsumerConfig{
		Name: "orders", Pool: consumer, NATS: nc, Log: log, Metrics: prometheus.NewRegistry(),
		Workers: 1, // one transaction at a time, so that it is known which one commits
		AfterCommit: func() {
			for _, i := range written {
				effect[i] = time.Now()
			}
			done.Add(int64(len(written)))
			written = written[:0]
		},
	})
	events.On(receiver, "note.taken", func(ctx context.Context, tx pgx.Tx, e events.Event, data note) error {
		i, err := strconv.Atoi(data.Text)
		if err != nil {
			return err
		}
		written = append(written, i)
		_, err = tx.Exec(ctx, `insert into effects (event_id, text) values ($1, $2)`, e.ID, data.Text)
		return err
	})

	working, stop := context.WithCancel(ctx)
	var workers errgroup.Group
	workers.Go(func() error { return relay.Run(working) })
	workers.Go(func() error { return receiver.Run(working) })
	defer func() {
		stop()
		err = errors.Join(err, workers.Wait())
	}()
	if err := emitAll(ctx, producer, relay.Wake, commit); err != nil {
		return nil, err
	}
	for int(done.Load()) < len(commit) {
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%d of %d events had their effects: %w", done.Load(), len(commit), context.Cause(ctx))
		case <-time.After(20 * time.Millisecond):
		}
	}
	took := make([]time.Duration, eventCount)
	for i := range took {
		took[i] = effect[eventWarmUp+i].Sub(commit[eventWarmUp+i])
	}
	return took, nil
}

// emitAll writes the changes at their times, whether or not those before are done.
func emitAll(ctx context.Context, producer *pgxpool.Pool, wake func(), commit []time.Time) error {
	problems := make(chan error, 1)
	plan := load.Plan{Rate: eventRate, Count: len(commit)}
	plan.Each(ctx, len(commit), func(ctx context.Context, turn load.Turn) {
		err := turn.Err
		if err == nil {
			err = events.Emit(ctx, producer, "note.taken", note{strconv.Itoa(turn.N)})
		}
		if err != nil {
			select {
			case problems <- err:
			default:
			}
		}
		commit[turn.N] = time.Now()
		wake()
	})
	select {
	case err := <-problems:
		return fmt.Errorf("write an event: %w", err)
	default:
		return ctx.Err()
	}
}

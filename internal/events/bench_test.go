package events_test

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"banyan/internal/events"
)

// BenchmarkCommitToEffect measures the time from the commit of a change to the
// commit of its effect in another service, at 1,000 changes per second, each in
// a transaction of its own.
//
//	go test -run=- -bench=CommitToEffect -benchtime=5000x ./internal/events
//
// It reports the median and the 99th percentile in milliseconds. Changes begin
// at fixed times, whether or not those before are done. synchronous_commit and
// the disk are those of the test server (package testdb).
func BenchmarkCommitToEffect(b *testing.B) {
	b.Run("handler=transaction", func(b *testing.B) {
		commitToEffect(b, func(c *events.Consumer, begun func(note)) {
			events.On(c, "note.taken", func(ctx context.Context, tx pgx.Tx, e events.Event, data note) error {
				begun(data)
				return write(ctx, tx, e, data)
			})
		})
	})
	b.Run("handler=queued", func(b *testing.B) {
		commitToEffect(b, func(c *events.Consumer, begun func(note)) {
			events.OnQueued(c, "note.taken", func(_ context.Context, batch *pgx.Batch, e events.Event, data note) error {
				begun(data)
				batch.Queue(`insert into effects (event_id, text, trace) values ($1, $2, $3)`, e.ID, data.Text, e.Trace)
				return nil
			})
		})
	})
}

func commitToEffect(b *testing.B, register func(c *events.Consumer, begun func(note))) {
	w := provisioned(b)
	relay, _ := w.relay("catalog")
	commit, effect := make([]time.Time, b.N), make([]time.Time, b.N)
	written := map[int]bool{} // what the consumer's transaction holds that commits next
	var done atomic.Int64
	w.consumeBy(func(c *events.Consumer) {
		register(c, func(data note) {
			if i, err := strconv.Atoi(data.Text); err == nil {
				written[i] = true
			}
		})
	}, func(c *events.ConsumerConfig) {
		c.Workers = 1 // one transaction at a time, so that it is known which one commits
		c.AfterCommit = func() {
			for i := range written {
				effect[i] = time.Now()
			}
			done.Add(int64(len(written)))
			clear(written)
		}
	})
	w.emit("warm")
	relay.Wake()
	soon(b, func() bool { return len(w.effects()) == 1 }, "everything runs")

	var writers sync.WaitGroup
	b.ResetTimer()
	start := time.Now()
	for i := range b.N {
		time.Sleep(time.Until(start.Add(time.Duration(i) * time.Millisecond)))
		writers.Go(func() {
			if err := events.Emit(context.Background(), w.producer, "note.taken", note{strconv.Itoa(i)}); err != nil {
				b.Error(err)
			}
			commit[i] = time.Now()
			relay.Wake()
		})
	}
	writers.Wait()
	soon(b, func() bool { return done.Load() == int64(b.N) }, "all have their effects")
	b.StopTimer()

	took := make([]time.Duration, b.N)
	for i := range took {
		took[i] = effect[i].Sub(commit[i])
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}

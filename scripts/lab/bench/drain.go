package bench

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"banyan/internal/events"
	"banyan/scripts/lab/up"
)

// flow is the way of the events: from the outboxes of the services through the broker's stream to the
// consumers.
type flow struct {
	nats     *nats.Conn
	stream   jetstream.Stream
	outboxes []string // ops URLs
}

// openFlow finds the processes that have an outbox and connects to the broker. A lab without services
// has neither, and the flow is nil.
func openFlow(ctx context.Context, state *up.State) (*flow, error) {
	if state.NATSURL == "" {
		return nil, nil
	}
	f := &flow{}
	for _, process := range state.Processes {
		if process.OpsURL == "" {
			continue
		}
		metrics, err := gauges(ctx, process.OpsURL)
		if err != nil {
			return nil, fmt.Errorf("ask %s for its outbox: %w", process.Name, err)
		}
		if _, has := metrics[outboxDepth]; has {
			f.outboxes = append(f.outboxes, process.OpsURL)
		}
	}
	var err error
	if f.nats, err = nats.Connect(state.NATSURL, nats.Name("bench"), nats.Timeout(5*time.Second)); err != nil {
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	js, err := jetstream.New(f.nats)
	if err == nil {
		f.stream, err = js.Stream(ctx, events.Stream)
	}
	if err != nil {
		f.close()
		return nil, fmt.Errorf("look at the stream of events: %w", err)
	}
	return f, nil
}

// outboxDepth is the metric of internal/events.
const outboxDepth = "outbox_unpublished"

func (f *flow) close() {
	if f != nil {
		f.nats.Close()
	}
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
		waiting, err := f.waiting(ctx)
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

// waiting is how many events are on their way, or 1 if that cannot be told yet. The order of the questions
// matters. If no consumer has anything to do, nobody writes events any more; so an event would still be in an
// outbox, which is asked next, or has been published in between, which the stream's last number tells.
func (f *flow) waiting(ctx context.Context) (uint64, error) {
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

func (f *flow) unpublished(ctx context.Context) (uint64, error) {
	var sum atomic.Uint64
	asking, ctx := errgroup.WithContext(ctx)
	for _, opsURL := range f.outboxes {
		asking.Go(func() error {
			metrics, err := gauges(ctx, opsURL)
			if err != nil {
				return err
			}
			depth, has := metrics[outboxDepth]
			if !has {
				return fmt.Errorf("%s does not show %s any more", opsURL, outboxDepth)
			}
			sum.Add(uint64(depth))
			return nil
		})
	}
	err := asking.Wait()
	return sum.Load(), err
}

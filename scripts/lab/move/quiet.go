package move

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"banyan/internal/events"
	"banyan/scripts/lab/up"
)

// quiet waits until the service has handled every event that the trunk has published: what it has not heard would be lost
// on the way back. An area that consumes nothing is quiet at once. Where the events can't be seen to have arrived, nothing
// is handed back.
func (m *Move) quiet(ctx context.Context, within time.Duration) error {
	if !consumes(m.step, m.area) {
		return nil
	}
	conn, err := nats.Connect(m.state.NATSURL, nats.Name("lab"), nats.Timeout(time.Second))
	if err != nil {
		return fmt.Errorf("the broker is away, and with it what %s has not heard yet; start it again, and then roll back: %w", m.area, err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		consumer, err := js.Consumer(ctx, events.Stream, m.area)
		if errors.Is(err, jetstream.ErrConsumerNotFound) {
			return nil // it has never begun
		}
		if err != nil {
			return fmt.Errorf("ask the broker what %s has not heard yet: %w", m.area, err)
		}
		info := consumer.CachedInfo()
		if info.NumPending == 0 && info.NumAckPending == 0 {
			return nil
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return fmt.Errorf("%s has %d events left to handle after %s", m.area, info.NumPending+uint64(info.NumAckPending), within)
		}
	}
}

// dropConsumer removes the trunk's consumer, which has no reader any more: what nobody reads would pile up.
func (m *Move) dropConsumer(ctx context.Context) error {
	conn, err := nats.Connect(m.state.NATSURL, nats.Name("lab"), nats.Timeout(time.Second))
	if err != nil {
		return fmt.Errorf("the broker is away, and keeps the trunk's events; start it again, and finalize once more: %w", err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		return err
	}
	err = js.DeleteConsumer(ctx, events.Stream, up.SchemaOf(up.Trunk))
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return nil
	}
	return err
}

// consumes says whether an area's service reads the stream.
func consumes(step up.Step, area string) bool {
	for _, name := range step.Durables() {
		if name == area {
			return true
		}
	}
	return false
}

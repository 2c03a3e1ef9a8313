package bench

import (
	"context"
	"fmt"
	"strings"
	"time"

	"banyan/scripts/lab/invariants"
	"banyan/scripts/lab/up"
)

// flow is the way of the events: from the outboxes of the services through the broker's stream to the
// consumers. What waits is counted past the shop: asking the processes again and again would be work of theirs.
type flow struct{ shop *invariants.Shop }

// openFlow returns nil for a lab without services, which has no events.
func openFlow(ctx context.Context, state *up.State) (*flow, error) {
	if state.NATSURL == "" {
		return nil, nil
	}
	shop, err := invariants.Open(ctx, invariants.Where{
		Side: up.Services, Step: state.Step, Database: state.Databases[up.Services], Broker: state.NATSURL, OutsideURL: state.OutsideURL,
	})
	if err != nil {
		return nil, err
	}
	return &flow{shop}, nil
}

func (f *flow) close() {
	if f != nil {
		f.shop.Close()
	}
}

// eventCount is how many events went through the broker.
type eventCount struct{ published, delivered int64 }

// count asks the broker. Without one there are no events.
func (f *flow) count(ctx context.Context) (c eventCount, err error) {
	if f != nil {
		c.published, c.delivered, err = f.shop.Events(ctx)
	}
	return c, err
}

// drainedWithin is how long the events of one round may take to have their effects.
const drainedWithin = 60 * time.Second

// drain waits until every event has had its effects, and those of these.
func (f *flow) drain(ctx context.Context) error {
	if f == nil {
		return nil
	}
	left, err := f.shop.Drain(ctx, drainedWithin)
	if err == nil && len(left) > 0 {
		err = fmt.Errorf("the events of a round did not have their effects within %s: %s", drainedWithin, strings.Join(left, ", "))
	}
	return err
}

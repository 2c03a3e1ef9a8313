package events

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go/jetstream"
)

// seenKey is where the durable consumer keeps how far its types were looked for.
const seenKey = "seen"

// lookBack returns the place in the stream up to which this consumer got
// everything of its types. Once per start it says what the stream has forgotten
// behind that place: events that no retry brings back.
//
// The broker knows the last message that it delivered. Of a type that is rare that
// may be long past, and nothing is missing. So each look at which nothing was
// pending is noted, in the consumer's metadata. What is gone behind the later of the
// two is gone for certain; how much of it was of this consumer's types, nobody
// knows any more.
func (c *Consumer) lookBack(ctx context.Context, js jetstream.JetStream) (seen uint64, err error) {
	stream, err := js.Stream(ctx, Stream)
	if err != nil {
		return 0, fmt.Errorf("look at the stream: %w", err)
	}
	state := stream.CachedInfo().State
	durable, err := js.Consumer(ctx, Stream, c.name)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		if !c.lookedBack.Swap(true) && state.FirstSeq > 1 {
			c.log.WarnContext(ctx, "a new consumer begins at what the stream still has; what came before has to be copied from its source",
				"consumer", c.name, "first_sequence", state.FirstSeq)
		}
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("look at the consumer %s: %w", c.name, err)
	}
	info := durable.CachedInfo()
	noted, _ := strconv.ParseUint(info.Config.Metadata[seenKey], 10, 64) // 0 if a version before this one made it
	seen = max(info.Delivered.Stream, min(noted, state.LastSeq))
	if first := state.FirstSeq; !c.lookedBack.Swap(true) && seen+1 < first {
		c.metrics.missed.Add(float64(first - 1 - seen))
		c.log.ErrorContext(ctx, "this consumer was away for longer than the stream keeps anything, and missed events; docs/operations.md says how to rebuild its copies",
			"consumer", c.name, "messages", first-1-seen, "from_sequence", seen+1, "to_sequence", first-1)
	}
	if info.NumPending == 0 {
		seen = max(seen, state.LastSeq) // the stream was asked first
	}
	return seen, nil
}

// noteSeen notes the place now and then. It changes nothing else about the durable
// consumer: one of another version may be its maker.
func (c *Consumer) noteSeen(ctx context.Context, js jetstream.JetStream) {
	for ; ctx.Err() == nil; sleep(ctx, noteEvery) {
		if err := c.note(ctx, js); err != nil && ctx.Err() == nil {
			c.log.DebugContext(ctx, "could not note how far this consumer has come; trying again later", "error", err)
		}
	}
}

func (c *Consumer) note(ctx context.Context, js jetstream.JetStream) error {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	seen, err := c.lookBack(ctx, js)
	if err != nil {
		return err
	}
	durable, err := js.Consumer(ctx, Stream, c.name)
	if err != nil {
		return err
	}
	config := durable.CachedInfo().Config
	config.Metadata = seenAt(seen)
	_, err = js.UpdateConsumer(ctx, Stream, config)
	return err
}

func seenAt(seq uint64) map[string]string {
	return map[string]string{seenKey: strconv.FormatUint(seq, 10)}
}

package bench

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"banyan/internal/events"
	"banyan/internal/testdb"
	"banyan/scripts/lab/up"
)

func TestDrain(t *testing.T) {
	t.Parallel()
	ctx := t.Context()

	// A broker with one consumer, and a service with an outbox, or without one that can be read.
	address := testdb.NATS(t)
	connection, err := nats.Connect(address)
	require.NoError(t, err)
	t.Cleanup(connection.Close)
	js, err := jetstream.New(connection)
	require.NoError(t, err)
	require.NoError(t, events.Provision(ctx, js))
	consumer, err := js.CreateOrUpdateConsumer(ctx, events.Stream, jetstream.ConsumerConfig{Durable: "catalog", AckPolicy: jetstream.AckExplicitPolicy})
	require.NoError(t, err)

	var depth atomic.Int64
	ops := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if n := depth.Load(); n >= 0 {
			fmt.Fprintf(w, "outbox_unpublished %d\n", n)
		}
	}))
	t.Cleanup(ops.Close)
	f, err := openFlow(ctx, &up.State{NATSURL: address, Processes: []up.ProcessState{{Name: "orders", OpsURL: ops.URL}}})
	require.NoError(t, err)
	t.Cleanup(f.close)

	drains := func() error {
		soon, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		defer cancel()
		return f.drain(soon)
	}
	require.NoError(t, drains(), "nothing is on its way")

	depth.Store(1)
	require.ErrorIs(t, drains(), context.DeadlineExceeded, "an event is in an outbox")
	depth.Store(0)
	require.NoError(t, drains())

	_, err = js.Publish(ctx, "events.orders.order.paid", []byte("{}"))
	require.NoError(t, err)
	require.ErrorIs(t, drains(), context.DeadlineExceeded, "an event waits for its consumer")

	message, err := consumer.Next()
	require.NoError(t, err)
	require.ErrorIs(t, drains(), context.DeadlineExceeded, "an event is being handled")
	require.NoError(t, message.DoubleAck(ctx))
	require.NoError(t, drains(), "it has had its effect")

	depth.Store(-1)
	require.ErrorContains(t, drains(), "does not show", "an outbox that cannot be read is not an empty one")
}

func TestDrainOfAMonolith(t *testing.T) {
	t.Parallel()
	f, err := openFlow(t.Context(), &up.State{})
	require.NoError(t, err)
	require.NoError(t, f.drain(t.Context()), "it has no events")
	f.close()
}

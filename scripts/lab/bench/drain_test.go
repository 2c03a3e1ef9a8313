package bench

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"banyan/internal/events"
	"banyan/internal/testdb"
	"banyan/migrations"
	"banyan/scripts/lab/up"
)

func TestDrain(t *testing.T) {
	t.Parallel()
	ctx := t.Context()

	// A broker with one consumer, and the services' database.
	address := testdb.NATS(t)
	connection, err := nats.Connect(address)
	require.NoError(t, err)
	t.Cleanup(connection.Close)
	js, err := jetstream.New(connection)
	require.NoError(t, err)
	require.NoError(t, events.Provision(ctx, js))
	consumer, err := js.CreateOrUpdateConsumer(ctx, events.Stream, jetstream.ConsumerConfig{Durable: "catalog", AckPolicy: jetstream.AckExplicitPolicy})
	require.NoError(t, err)
	db := testdb.New(t, migrations.FS)
	admin := db.Superuser()
	f, err := openFlow(ctx, &up.State{NATSURL: address, Databases: map[string]string{up.Services: db.SuperuserURL()}})
	require.NoError(t, err)
	t.Cleanup(func() { f.close(context.Background()) })

	drains := func() error {
		soon, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		defer cancel()
		waiting, err := f.onTheirWay(soon)
		if err != nil || waiting == 0 {
			return err
		}
		return f.drain(soon)
	}
	require.NoError(t, drains(), "nothing is on its way")

	_, err = admin.Exec(ctx, `
		insert into shipping.outbox (id, type, data, trace)
		values (gen_random_uuid(), 'shipment.dispatched', '{}', '')`)
	require.NoError(t, err)
	waiting, err := f.onTheirWay(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 1, waiting, "an event is in an outbox")
	_, err = admin.Exec(ctx, `update shipping.outbox set stream_seq = 1, published_at = now()`)
	require.NoError(t, err)
	require.NoError(t, drains())

	_, err = js.Publish(ctx, "events.orders.order.paid", []byte("{}"))
	require.NoError(t, err)
	require.ErrorIs(t, drains(), context.DeadlineExceeded, "an event waits for its consumer")

	message, err := consumer.Next()
	require.NoError(t, err)
	require.ErrorIs(t, drains(), context.DeadlineExceeded, "an event is being handled")
	require.NoError(t, message.DoubleAck(ctx))
	require.NoError(t, drains(), "it has had its effect")

	went, err := f.count(ctx)
	require.NoError(t, err)
	require.Equal(t, eventCount{published: 1, delivered: 1}, went)

	_, err = admin.Exec(ctx, `drop table shipping.outbox`)
	require.NoError(t, err)
	require.ErrorContains(t, drains(), "count what is in the outboxes", "an outbox that cannot be read is not an empty one")
}

func TestDrainOfAMonolith(t *testing.T) {
	t.Parallel()
	f, err := openFlow(t.Context(), &up.State{})
	require.NoError(t, err)
	require.NoError(t, f.drain(t.Context()), "it has no events")
	f.close(t.Context())
}

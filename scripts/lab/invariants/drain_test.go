package invariants

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
	shop, err := Open(ctx, Where{Side: Services, Step: last, Database: db.SuperuserURL(), Broker: address})
	require.NoError(t, err)
	t.Cleanup(shop.Close)

	drains := func() []string {
		left, err := shop.Drain(ctx, 100*time.Millisecond)
		require.NoError(t, err)
		return left
	}
	require.Empty(t, drains(), "nothing is on its way")

	_, err = admin.Exec(ctx, `
		insert into shipping.outbox (id, type, data, trace)
		values (gen_random_uuid(), 'shipment.dispatched', '{}', '')`)
	require.NoError(t, err)
	queues, err := shop.Outboxes(ctx)
	require.NoError(t, err)
	require.Contains(t, queues, Queue{Name: "outbox of shipping"})
	require.Equal(t, []string{"an event of shipping is not published"}, drains(), "an event is in an outbox")
	_, err = admin.Exec(ctx, `update shipping.outbox set stream_seq = 1, published_at = now()`)
	require.NoError(t, err)
	require.Empty(t, drains())

	_, err = js.Publish(ctx, "events.orders.order.paid", []byte("{}"))
	require.NoError(t, err)
	require.Equal(t, []string{"catalog has 1 events to deal with"}, drains(), "an event waits for its consumer")

	waits := func(ask func(context.Context) ([]Queue, error)) (names []string) {
		queues, err := ask(ctx)
		require.NoError(t, err)
		require.NotEmpty(t, queues)
		for _, q := range queues {
			if !q.Empty {
				names = append(names, q.Name)
			}
		}
		return names
	}
	require.Empty(t, waits(shop.Outboxes))
	require.Equal(t, []string{"consumer catalog"}, waits(shop.Consumers))

	message, err := consumer.Next()
	require.NoError(t, err)
	require.Equal(t, []string{"catalog has 1 events to deal with"}, drains(), "an event is being handled")
	require.NoError(t, message.DoubleAck(ctx))
	require.Empty(t, drains(), "it has had its effect")

	published, delivered, err := shop.Events(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 1, published)
	require.EqualValues(t, 1, delivered)

	_, err = admin.Exec(ctx, `drop table shipping.outbox`)
	require.NoError(t, err)
	_, err = shop.Drain(ctx, 0)
	require.ErrorContains(t, err, "look what is under way", "an outbox that cannot be read is not an empty one")
}

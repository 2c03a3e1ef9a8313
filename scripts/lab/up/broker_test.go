package up

import (
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"banyan/internal/events"
)

func TestBroker(t *testing.T) {
	t.Parallel()
	root, err := Root()
	require.NoError(t, err)
	kept := &secrets{}
	kept.complete()
	kept.NATS["orders"] = "7DIGITFIRST" // which the broker's file would read as a number
	broker, err := startNATS(t.Context(), root, t.TempDir(), 0, kept)
	require.NoError(t, err)
	t.Cleanup(broker.Process().Kill)
	as := func(user, password string) string {
		location, err := withPassword(broker.URL(), user, password)
		require.NoError(t, err)
		return location
	}

	t.Run("knows every user that the lab has a password for", func(t *testing.T) {
		for _, user := range natsUsers() {
			conn, err := nats.Connect(as(user, kept.NATS[user]))
			require.NoError(t, err, user)
			conn.Close()
		}
		_, err := nats.Connect(as("orders", "wrong"))
		require.ErrorIs(t, err, nats.ErrAuthorization)
	})

	t.Run("forgets the trunk's consumer where there is no trunk", func(t *testing.T) {
		admin := as(natsAdmin, kept.NATS[natsAdmin])
		require.NoError(t, makeStream(t.Context(), admin, false))
		conn, err := nats.Connect(admin)
		require.NoError(t, err)
		defer conn.Close()
		js, err := jetstream.New(conn)
		require.NoError(t, err)
		_, err = js.CreateConsumer(t.Context(), events.Stream, jetstream.ConsumerConfig{Durable: Monolith})
		require.NoError(t, err)
		require.NoError(t, makeStream(t.Context(), admin, false))
		_, err = js.Consumer(t.Context(), events.Stream, Monolith)
		require.NoError(t, err, "step 7 needs it")
		require.NoError(t, makeStream(t.Context(), admin, true))
		_, err = js.Consumer(t.Context(), events.Stream, Monolith)
		require.ErrorIs(t, err, jetstream.ErrConsumerNotFound)
	})

	t.Run("lets the administrator make the stream, again and again", func(t *testing.T) {
		admin := as(natsAdmin, kept.NATS[natsAdmin])
		require.NoError(t, makeStream(t.Context(), admin, true))
		require.NoError(t, makeStream(t.Context(), admin, true))
	})
}

func TestBrokerProcess(t *testing.T) {
	t.Parallel()
	l := fleet(t)
	var err error
	l.root, err = Root()
	require.NoError(t, err)
	require.NoError(t, l.setUpBroker(t.Context()))
	broker, address := l.Process(processNATS), l.settings.natsURL

	broker.Kill9()
	require.NoError(t, broker.Restart(t.Context()))
	require.Equal(t, address, l.broker.URL(), "clients find it where it was")
	admin, err := l.natsAdminURL()
	require.NoError(t, err)
	require.NoError(t, makeStream(t.Context(), admin, true))
	stop(t, l)
}

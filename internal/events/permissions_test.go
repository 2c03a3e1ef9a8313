package events_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"banyan/internal/events"
	"banyan/internal/local"
)

// The tests above let everybody do everything. These run the server with the
// configuration that the lab and a deployment use.
func TestPermissions(t *testing.T) {
	t.Parallel()
	server := newBroker(t, func(o *local.NATSOptions) {
		o.Config = "../../deploy/nats.conf"
		o.Env = append(o.Env, "NATS_ADMIN_PASSWORD="+password("admin"))
		for _, service := range []string{
			"accounts", "catalog", "inventory", "orders", "payments", "shipping", "notifications", "monolith",
		} {
			o.Env = append(o.Env, "NATS_"+strings.ToUpper(service)+"_PASSWORD="+password(service))
		}
	})
	as := func(user string) *user { return connectAs(t, server.URL(), user) }
	admin := as("admin")
	require.NoError(t, events.Provision(t.Context(), admin.js))
	require.NoError(t, events.Provision(t.Context(), admin.js), "a second time it changes nothing")

	t.Run("relay and consumer need no more than they may do", func(t *testing.T) {
		w := newWorld(t, "")
		producer, consumer := as("catalog"), as("orders")
		relay := events.NewRelay(events.RelayConfig{
			Pool: w.producer, NATS: producer.js.Conn(), Area: events.Only("catalog"), Source: "catalog",
			Log: quiet(t), Metrics: prometheus.NewRegistry(), Poll: 50 * time.Millisecond,
		})
		w.emit("first")
		running := w.run(nil, relay.Run)
		w.consume(write, func(c *events.ConsumerConfig) { c.NATS = consumer.js.Conn() })
		soon(t, func() bool { return len(w.effects()) == 1 && w.waiting() == 0 }, "the event has its effect")

		running.stop() // the next one has a mark to compare, and a gap to ask for
		w.emit("gap")
		running = w.run(nil, relay.Run)
		soon(t, func() bool { return len(w.effects()) == 2 && w.waiting() == 0 }, "one more")
		running.stop()
		stream, err := admin.js.Stream(t.Context(), events.Stream)
		require.NoError(t, err)
		require.NoError(t, stream.DeleteMsg(t.Context(), 2))
		w.emit("third")
		w.run(nil, relay.Run)
		soon(t, func() bool { return len(w.effects()) == 3 && w.waiting() == 0 }, "the next one, too")
		soon(t, func() bool {
			info, err := stream.Info(t.Context())
			return err == nil && info.State.Msgs == 3
		}, "what was deleted is published again")
		require.Empty(t, producer.refusals)
		require.Empty(t, consumer.refusals)
	})
	t.Run("a service publishes under its own area only", func(t *testing.T) {
		catalog := as("catalog")
		require.NoError(t, catalog.request("events.catalog.note.taken", ""))
		for _, subject := range []string{"events.orders.note.taken", "events.catalogue.note.taken", "events.x", "anything"} {
			require.ErrorIs(t, catalog.request(subject, ""), nats.ErrPermissionViolation, subject)
		}
	})
	t.Run("the monolith publishes under all areas that tell something, for what a rolled-back service left is its own", func(t *testing.T) {
		monolith := as("monolith")
		for _, area := range []string{"accounts", "catalog", "inventory", "orders", "payments", "shipping"} {
			require.NoError(t, monolith.request("events."+area+".note.taken", ""))
		}
		for _, subject := range []string{
			"events.notifications.note.taken", "events.x.note.taken",
			"$JS.API.CONSUMER.MSG.NEXT.EVENTS.orders", "$JS.API.STREAM.PURGE.EVENTS",
		} {
			require.ErrorIs(t, monolith.request(subject, ""), nats.ErrPermissionViolation, subject)
		}
	})
	t.Run("a service cannot touch the stream", func(t *testing.T) {
		catalog := as("catalog")
		for _, call := range []string{"DELETE", "PURGE", "UPDATE", "MSG.DELETE", "SNAPSHOT"} {
			require.ErrorIs(t, catalog.request("$JS.API.STREAM."+call+".EVENTS", "{}"), nats.ErrPermissionViolation, call)
		}
		require.ErrorIs(t, catalog.request("$JS.API.STREAM.CREATE.OTHER", "{}"), nats.ErrPermissionViolation)
	})
	t.Run("a service cannot use another's consumer", func(t *testing.T) {
		catalog := as("catalog")
		for _, subject := range []string{
			"$JS.API.CONSUMER.CREATE.EVENTS.orders", "$JS.API.CONSUMER.MSG.NEXT.EVENTS.orders", "$JS.API.CONSUMER.INFO.EVENTS.orders",
			"$JS.API.CONSUMER.DELETE.EVENTS.orders", "$JS.API.CONSUMER.LIST.EVENTS", "$JS.ACK.EVENTS.orders.1.1.1.1.1",
		} {
			require.ErrorIs(t, catalog.request(subject, "{}"), nats.ErrPermissionViolation, subject)
		}
	})
	t.Run("a service does not hear what others are answered, nor the events themselves", func(t *testing.T) {
		catalog := as("catalog")
		for _, subject := range []string{"_INBOX_orders.>", "_INBOX.>", "events.>", ">"} {
			_, err := catalog.js.Conn().SubscribeSync(subject)
			require.NoError(t, err)
			require.ErrorIs(t, catalog.refused(), nats.ErrPermissionViolation, subject)
		}
	})
	t.Run("nobody comes in without a password", func(t *testing.T) {
		for _, login := range []string{"", "catalog:wrong@"} {
			_, err := nats.Connect(strings.Replace(server.URL(), "//", "//"+login, 1))
			require.ErrorIs(t, err, nats.ErrAuthorization)
		}
	})
}

func password(user string) string { return "secret_of_" + user }

// user is a connection with a user's rights.
type user struct {
	t        testing.TB
	js       jetstream.JetStream
	refusals chan error // what the broker refused, besides what request returns
}

func connectAs(t testing.TB, address, name string) *user {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	u.User = url.UserPassword(name, password(name))
	nc, err := events.Connect(t.Context(), u.String(), name, quiet(t))
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	refusals := make(chan error, 16)
	nc.SetErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
		select {
		case refusals <- err:
		default:
		}
	})
	return &user{t, js, refusals}
}

// refused is what the broker refused next.
func (u *user) refused() error {
	select {
	case err := <-u.refusals:
		return err
	case <-time.After(5 * time.Second):
		return errors.New("the broker refused nothing")
	}
}

// request sends a message and returns the broker's refusal, or nil if somebody
// answers, whatever the answer.
func (u *user) request(subject, body string) error {
	ctx, cancel := context.WithTimeout(u.t.Context(), 5*time.Second)
	defer cancel()
	answered := make(chan error, 1)
	go func() {
		_, err := u.js.Conn().RequestWithContext(ctx, subject, []byte(body))
		answered <- err
	}()
	select {
	case err := <-u.refusals:
		return err
	case err := <-answered:
		return err
	}
}

package main

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"banyan/docs/api"
	"banyan/internal/events"
	"banyan/internal/money"
	"banyan/internal/testdb"
)

// patience is how long a busy machine may take.
const patience = 20 * time.Second

// goldenAccount is whom the golden events are about.
var goldenAccount = uuid.MustParse("0198c0de-0000-7000-8000-000000000a01")

// areas are where the events come from.
var areas = map[string]string{
	"account.registered": "accounts", "order.paid": "orders", "order.cancelled": "orders", "shipment.dispatched": "shipping",
}

// broker is the stream as those that publish see it.
type broker struct {
	t  *testing.T
	js jetstream.JetStream
}

// consume runs the shop's consumer as the process does.
func (s shop) consume() broker {
	s.t.Helper()
	log := slog.New(slog.NewTextHandler(s.t.Output(), nil))
	url := testdb.NATS(s.t)
	connect := func(name string) *nats.Conn {
		nc, err := events.Connect(s.t.Context(), url, name, log)
		require.NoError(s.t, err)
		s.t.Cleanup(nc.Close)
		return nc
	}
	js, err := jetstream.New(connect("admin"))
	require.NoError(s.t, err)
	require.NoError(s.t, events.Provision(s.t.Context(), js))

	c := events.NewConsumer(events.ConsumerConfig{
		Name: "notifications", Pool: s.pool, NATS: connect("notifications"), Log: log,
		Metrics: prometheus.NewRegistry(), AfterCommit: s.Wake,
	})
	s.Consume(c)
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.t.Context()))
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	s.t.Cleanup(func() {
		cancel()
		require.NoError(s.t, <-done)
	})
	return broker{s.t, js}
}

// publish puts an event on the stream.
func (b broker) publish(id uuid.UUID, typ string, data []byte) {
	b.t.Helper()
	_, err := b.js.PublishMsg(b.t.Context(), &nats.Msg{
		Subject: "events." + areas[typ] + "." + typ,
		Header: nats.Header{
			"ce-specversion": {"1.0"}, "ce-id": {id.String()}, "ce-type": {typ},
			"ce-source": {areas[typ]}, "ce-time": {"2026-11-23T10:15:30Z"},
		},
		Data: data,
	})
	require.NoError(b.t, err)
}

// golden publishes the examples of these types.
func (b broker) golden(types ...string) {
	b.t.Helper()
	for _, typ := range types {
		b.publish(uuid.Must(uuid.NewV7()), typ, api.Event(typ))
	}
}

// kinds are the mails to the account of the golden events, newest first.
func (s shop) kinds() (kinds []string) {
	s.t.Helper()
	messages, err := s.Messages(s.t.Context(), goldenAccount, uuid.Max, 100)
	require.NoError(s.t, err)
	for _, m := range messages {
		require.Equal(s.t, "ada@example.org", m.To)
		kinds = append(kinds, m.Kind)
	}
	return kinds
}

func (s shop) rows(table string) (n int) {
	s.t.Helper()
	require.NoError(s.t, s.pool.QueryRow(s.t.Context(), `select count(*) from `+table).Scan(&n))
	return n
}

func TestEvents(t *testing.T) {
	t.Parallel()

	t.Run("make one mail each, also if they are told again", func(t *testing.T) {
		t.Parallel()
		s := newShop(t, "127.0.0.1:1")
		b := s.consume()
		types := []string{"account.registered", "order.paid", "shipment.dispatched", "order.cancelled"}
		b.golden(types...)
		all := []string{"welcome", "order_paid", "order_shipped", "order_cancelled"}
		require.Eventually(t, func() bool { return len(s.kinds()) == 4 }, patience, 10*time.Millisecond)
		require.ElementsMatch(t, all, s.kinds())

		var body string
		require.NoError(t, s.pool.QueryRow(t.Context(), `select body from notifications where kind = 'order_paid'`).Scan(&body))
		require.Contains(t, body, "USD 25.98")
		require.Contains(t, body, "0198c0de-0000-7000-8000-000000000c01")

		b.golden(types...) // under ids that the inbox has not seen
		require.Eventually(t, func() bool { return s.rows("inbox") == 8 }, patience, 10*time.Millisecond)
		require.ElementsMatch(t, all, s.kinds())
		require.Equal(t, 1, s.rows("contacts"))
		require.Zero(t, s.rows("dead_letters"))
	})
	t.Run("that come twice under one id have one effect", func(t *testing.T) {
		t.Parallel()
		s := newShop(t, "127.0.0.1:1")
		b := s.consume()
		id := uuid.Must(uuid.NewV7())
		b.publish(id, "account.registered", api.Event("account.registered"))
		b.publish(id, "account.registered", api.Event("account.registered"))
		b.golden("order.paid")
		require.Eventually(t, func() bool { return len(s.kinds()) == 2 }, patience, 10*time.Millisecond)
		require.ElementsMatch(t, []string{"welcome", "order_paid"}, s.kinds())
		require.Equal(t, 2, s.rows("inbox"))
	})
	t.Run("of an order wait for the address of its account, and hold nobody else up", func(t *testing.T) {
		t.Parallel()
		s := newShop(t, "127.0.0.1:1")
		b := s.consume()
		b.golden("order.paid", "shipment.dispatched")
		b.publish(uuid.Must(uuid.NewV7()), "account.registered",
			[]byte(`{"account_id":"0198c0de-0000-7000-8000-000000000a02","email":"eve@example.org","name":"Eve"}`))
		require.Eventually(t, func() bool { return s.count("queued") == 1 }, patience, 10*time.Millisecond)
		durable, err := b.js.Consumer(t.Context(), events.Stream, "notifications")
		require.NoError(t, err)
		require.Eventually(t, func() bool {
			info, err := durable.Info(t.Context())
			return err == nil && info.NumRedelivered == 2
		}, patience, 10*time.Millisecond, "both are tried again")
		require.Empty(t, s.kinds())
		require.Zero(t, s.rows("dead_letters"))
		err = s.queue(func(b *pgx.Batch) error {
			return s.orderPaid(t.Context(), b, events.Event{}, paidData{uuid.Max, goldenAccount, money.USD(1)})
		})
		require.ErrorIs(t, err, ErrNoContact)

		b.golden("account.registered")
		require.Eventually(t, func() bool { return len(s.kinds()) == 3 }, patience, 10*time.Millisecond)
	})
	t.Run("of a cancellation that the customer was told of make no mail", func(t *testing.T) {
		t.Parallel()
		s := newShop(t, "127.0.0.1:1")
		b := s.consume()
		told := strings.Replace(string(api.Event("order.cancelled")), `"customer_told":false`, `"customer_told":true`, 1)
		b.publish(uuid.Must(uuid.NewV7()), "order.cancelled", []byte(told))
		b.golden("account.registered")
		require.Eventually(t, func() bool { return s.rows("inbox") == 2 }, patience, 10*time.Millisecond)
		require.Equal(t, []string{"welcome"}, s.kinds())
	})
	t.Run("are mailed by the worker", func(t *testing.T) {
		t.Parallel()
		box := newSink(t, "")
		s := newShop(t, box.addr)
		s.run()
		b := s.consume()
		b.golden("account.registered", "order.paid")
		require.Eventually(t, func() bool { return s.count("sent") == 2 }, patience, 10*time.Millisecond)
		require.True(t, box.has("ada@example.org"))
	})
}

func TestOtherSchemas(t *testing.T) {
	t.Parallel()
	s := newShop(t, "127.0.0.1:1")
	for _, table := range []string{"monolith.notifications", "accounts.accounts", "orders.orders"} {
		_, err := s.pool.Exec(t.Context(), `select from `+table)
		var refused *pgconn.PgError
		require.ErrorAs(t, err, &refused, table)
		require.Equal(t, "42501", refused.Code, table)
	}
}

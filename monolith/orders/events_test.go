package orders

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"banyan/docs/api"
	"banyan/internal/events"
	"banyan/internal/fault"
	"banyan/internal/money"
	"banyan/internal/postgres"
	"banyan/internal/testdb"
)

// hears handles one event as the consumer would, in one transaction.
func (s farShop) hears(typ string, data any) error {
	e := events.Event{ID: uuid.New(), Type: typ}
	return pgx.BeginFunc(s.t.Context(), s.pool, func(tx pgx.Tx) error {
		switch data := data.(type) {
		case bookData:
			return s.see(tx, typ, data)
		case shipmentData:
			return s.shipmentDispatched(s.t.Context(), tx, e, data)
		}
		panic("nobody listens to this")
	})
}

// see handles events about books as the consumer would, all of them at once.
func (s farShop) see(tx pgx.Tx, typ string, all ...bookData) error {
	heard := make([]events.Heard[bookData], len(all))
	for i, data := range all {
		heard[i] = events.Heard[bookData]{Event: events.Event{ID: uuid.New(), Type: typ}, Data: data}
	}
	var b pgx.Batch
	if err := s.booksSeen(s.t.Context(), &b, heard); err != nil {
		return err
	}
	return postgres.Exec(s.t.Context(), tx, &b)
}

// shape is a JSON value with each leaf replaced by its type.
func shape(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name := range v {
			v[name] = shape(v[name])
		}
		return v
	case []any:
		return []any{shape(v[0])}
	default:
		return fmt.Sprintf("%T", v)
	}
}

func shapeOf(t *testing.T, data []byte) any {
	t.Helper()
	var v any
	require.NoError(t, json.Unmarshal(data, &v))
	return shape(v)
}

func TestEmits(t *testing.T) {
	t.Parallel()
	s := newFarShop(t, shippingIsFar)
	ada, one, two := s.customer(), s.book("Emma", 1250, 9), s.book("Ivanhoe", 300, 9)
	ada.puts(2, one)
	id := ada.bought(3, two)
	ada.cancels(id).is(200)
	ada.puts(1, two)
	declined := ada.pays("tok_declined", newKey()).refused(402, "declined").OrderID
	ada.puts(99, two)
	ada.pays("tok_visa", newKey()).refused(409, "sold-out")

	all := s.outbox()
	require.Equal(t, []string{orderPaid, orderCancelled, orderCancelled}, []string{all[0].Type, all[1].Type, all[2].Type},
		"and nothing of an order that went again")
	for _, e := range all {
		require.Equal(t, shapeOf(t, api.Event(e.Type)), shapeOf(t, e.Data), e.Type)
	}

	o := ada.order(id)
	var paid paidData
	require.NoError(t, json.Unmarshal(all[0].Data, &paid))
	require.Equal(t, paidData{id, ada.id, o.Items, money.USD(3400), home, o.PlacedAt}, paid)
	var cancelled cancelledData
	require.NoError(t, json.Unmarshal(all[1].Data, &cancelled))
	require.Equal(t, cancelledData{id, ada.id, Customer, false, o.Items, money.USD(3400), o.PlacedAt}, cancelled)
	require.NoError(t, json.Unmarshal(all[2].Data, &cancelled))
	require.Equal(t, declined, cancelled.OrderID)
	require.Equal(t, Declined, cancelled.Reason)
	require.True(t, cancelled.CustomerTold)
}

func TestConsumes(t *testing.T) {
	t.Parallel()

	t.Run("a book, which can be bought from then on", func(t *testing.T) {
		t.Parallel()
		s := newFarShop(t, shippingIsFar)
		broker := s.listens()
		broker.tells("catalog", "book.added", api.Event("book.added"))
		whale := book{uuid.MustParse("0198c0de-0000-7000-8000-000000000b01"), "Moby-Dick; or, The Whale"}
		s.soon(func() bool { return s.count(`select count(*) from books`) == 1 })
		ada := s.customer()
		require.Equal(t, money.USD(1299), ada.puts(1, whale).Total)
		require.Equal(t, whale.title, ada.cart().Items[0].Title)

		broker.tells("catalog", "book.changed", api.Event("book.changed"))
		s.soon(func() bool { return ada.cart().Total == money.USD(999) })
	})

	t.Run("only newer versions of a book", func(t *testing.T) {
		t.Parallel()
		s := newFarShop(t, shippingIsFar)
		at := func(version int, title string) bookData {
			return bookData{uuid.MustParse("0198c0de-0000-7000-8000-000000000b01"), title, money.USD(100), version}
		}
		// The change may come before what it changes.
		for _, b := range []bookData{at(2, "two"), at(1, "one"), at(2, "two again"), at(4, "four"), at(3, "three")} {
			require.NoError(t, s.hears("book.changed", b))
		}
		require.Equal(t, 1, s.count(`select count(*) from books where title = 'four' and version = 4`))
	})

	t.Run("the newest version of a book of which several come at once", func(t *testing.T) {
		t.Parallel()
		s := newFarShop(t, shippingIsFar)
		id := uuid.New()
		require.NoError(t, pgx.BeginFunc(t.Context(), s.pool, func(tx pgx.Tx) error {
			return s.see(tx, "book.changed", bookData{id, "one", money.USD(1), 1}, bookData{id, "three", money.USD(3), 3},
				bookData{id, "two", money.USD(2), 2})
		}))
		require.Equal(t, 1, s.count(`select count(*) from books where title = 'three' and price = 3 and version = 3`))
	})

	t.Run("the same books in two instances, in opposite orders, without a deadlock", func(t *testing.T) {
		t.Parallel()
		s := newFarShop(t, shippingIsFar)
		there := make([]bookData, 30)
		for i := range there {
			there[i] = bookData{uuid.New(), "Emma", money.USD(100), 1}
		}
		back := slices.Clone(there)
		slices.Reverse(back)
		var group errgroup.Group
		for _, books := range [][]bookData{there, back} {
			group.Go(func() error {
				for version := range 50 {
					err := pgx.BeginFunc(context.Background(), s.pool, func(tx pgx.Tx) error {
						for i := range books {
							books[i].Version = version
						}
						return s.see(tx, "book.changed", books...)
					})
					if err != nil {
						return err
					}
				}
				return nil
			})
		}
		require.NoError(t, group.Wait())
	})

	t.Run("a dispatch, which ends the order", func(t *testing.T) {
		t.Parallel()
		s := newFarShop(t, shippingIsFar)
		broker := s.listens()
		ada, b := s.customer(), s.book("Emma", 1000, 9)
		id := ada.bought(1, b)
		var golden map[string]any
		require.NoError(t, json.Unmarshal(api.Event("shipment.dispatched"), &golden))
		golden["order_id"] = id
		data, err := json.Marshal(golden)
		require.NoError(t, err)
		broker.tells("shipping", "shipment.dispatched", data)
		s.soon(func() bool { return ada.order(id).Status == Shipped })
	})

	t.Run("a dispatch before its payment later", func(t *testing.T) {
		t.Parallel()
		s := newFarShop(t, shippingIsFar)
		ada, b := s.customer(), s.book("Emma", 1000, 9)
		ada.puts(1, b)
		s.cashier.goes(losesAnswers)
		id := ada.pays("tok_visa", newKey()).is(202).order().ID
		err := s.hears("shipment.dispatched", shipmentData{id})
		require.Equal(t, fault.Conflict, fault.KindOf(err), "a kind that is tried again")
		ada.became(id, Pending, "")
		s.cashier.goes(nil)
		s.sweeps()
		require.NoError(t, s.hears("shipment.dispatched", shipmentData{id}))
		require.NoError(t, s.hears("shipment.dispatched", shipmentData{id}))
		ada.became(id, Shipped, "")
	})

	t.Run("a dispatch of an order that is not there yet later", func(t *testing.T) {
		t.Parallel()
		s := newFarShop(t, shippingIsFar)
		require.Equal(t, fault.NotFound, fault.KindOf(s.hears("shipment.dispatched", shipmentData{uuid.New()})))
	})

	t.Run("a dispatch that the wish to cancel was too late for", func(t *testing.T) {
		t.Parallel()
		s := newFarShop(t, shippingIsFar)
		ada, b := s.customer(), s.book("Emma", 1000, 9)
		id := ada.bought(1, b)
		s.depot.goes(losesRequests)
		ada.cancels(id).is(503)
		s.depot.goes(nil)
		s.ships(id)
		s.sweeps()
		ada.became(id, Shipped, "")
		require.Zero(t, s.count(`select count(*) from orders where cancel_requested_at is not null`))
	})
}

// broker is a stream that a test puts events on.
type broker struct {
	t  *testing.T
	js jetstream.JetStream
}

// listens runs the module's consumer on a broker of its own.
func (s farShop) listens() broker {
	s.t.Helper()
	url := testdb.NATS(s.t)
	nc, err := events.Connect(s.t.Context(), url, "monolith", quiet)
	require.NoError(s.t, err)
	s.t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	require.NoError(s.t, err)
	require.NoError(s.t, events.Provision(s.t.Context(), js))
	c := events.NewConsumer(events.ConsumerConfig{
		Name: "monolith", Pool: s.pool, NATS: nc, Log: quiet, Metrics: prometheus.NewRegistry(),
	})
	s.Consume(c)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- c.Run(ctx) }()
	s.t.Cleanup(func() {
		stop()
		require.NoError(s.t, <-ended)
	})
	return broker{s.t, js}
}

func (b broker) tells(area, typ string, data []byte) {
	b.t.Helper()
	_, err := b.js.PublishMsg(b.t.Context(), &nats.Msg{
		Subject: "events." + area + "." + typ, Data: data,
		Header: nats.Header{
			"ce-specversion": {"1.0"}, "ce-id": {uuid.NewString()}, "ce-type": {typ},
			"ce-source": {"test"}, "ce-time": {"2026-01-02T03:04:05Z"},
		},
	})
	require.NoError(b.t, err)
}

package wire_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"banyan/internal/testdb"
	"banyan/scripts/lab/wire"
)

// branch is a broker with a stream, reached by way of a proxy.
type branch struct {
	proxy *wire.Proxy
	nats  *nats.Conn
	js    jetstream.JetStream
}

func newBranch(t *testing.T) *branch {
	t.Helper()
	proxy, address := before(t, testdb.NATS(t), wire.NATS)
	nc, err := nats.Connect(address, nats.Name("orders"), nats.ReconnectWait(time.Millisecond), nats.MaxReconnects(-1),
		nats.ReconnectBufSize(-1))
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncTimeout(5*time.Second))
	require.NoError(t, err)
	_, err = js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "events", Subjects: []string{"events.>"}})
	require.NoError(t, err)
	return &branch{proxy, nc, js}
}

// message has a payload that looks like the protocol.
func message(i int) *nats.Msg {
	return &nats.Msg{
		Subject: "events.orders.paid",
		Header:  nats.Header{"ce-id": {fmt.Sprint("ce-", i)}, "Nats-Msg-Id": {fmt.Sprint("id-", i)}},
		Data:    fmt.Appendf(nil, "\r\nPUB $JS.ACK.x 4\r\n+ACK\r\nMSG a 1 2\r\n%d\x00", i),
	}
}

func TestNATSMoments(t *testing.T) {
	b := newBranch(t)
	seen := watch(b.proxy, nil)
	ctx := t.Context()
	settled := func(t *testing.T) []wire.Moment {
		t.Helper()
		require.NoError(t, b.nats.FlushTimeout(5*time.Second)) // its PONG comes behind all of it
		require.Zero(t, b.proxy.Unread())
		moments := seen.take()
		for _, m := range moments {
			require.Equal(t, "orders", m.Application)
		}
		return moments
	}

	t.Run("a publish and its acknowledgement", func(t *testing.T) {
		_, err := b.js.PublishMsg(ctx, message(0))
		require.NoError(t, err)
		require.Equal(t, both("publish: events.orders.paid id-0", "published: events.orders.paid id-0"), tale(settled(t)))
	})

	t.Run("an asynchronous batch", func(t *testing.T) {
		const many = 300
		var expected []string
		var futures []jetstream.PubAckFuture
		for i := 1; i <= many; i++ {
			future, err := b.js.PublishMsgAsync(message(i))
			require.NoError(t, err)
			futures = append(futures, future)
			expected = append(expected, both(fmt.Sprint("publish: events.orders.paid id-", i), fmt.Sprint("published: events.orders.paid id-", i))...)
		}
		for _, future := range futures {
			select {
			case <-future.Ok():
			case err := <-future.Err():
				require.NoError(t, err)
			}
		}
		moments := settled(t)
		slices.Sort(expected)
		require.Equal(t, expected, unordered(moments), "each exactly once")
		requireOrder(t, moments, wire.Publish, wire.Published)
	})

	t.Run("what no stream takes is not published", func(t *testing.T) {
		_, err := b.nats.RequestWithContext(ctx, "elsewhere", []byte("lost"))
		require.ErrorIs(t, err, nats.ErrNoResponders)
		require.Equal(t, both("publish: elsewhere "), tale(settled(t)), "without headers")
		_, err = b.js.PublishMsg(ctx, message(2000), jetstream.WithExpectLastSequence(1))
		require.Error(t, err)
		require.Equal(t, both("publish: events.orders.paid id-2000"), tale(settled(t)))
	})

	t.Run("deliveries and acknowledgements, and nothing for a refusal or a call for patience", func(t *testing.T) {
		consumer, err := b.js.CreateConsumer(ctx, "events", jetstream.ConsumerConfig{
			Durable: "mail", AckPolicy: jetstream.AckExplicitPolicy, AckWait: time.Minute,
		})
		require.NoError(t, err)
		require.Empty(t, settled(t))

		batch, err := consumer.Fetch(3, jetstream.FetchMaxWait(5*time.Second))
		require.NoError(t, err)
		var got []jetstream.Msg
		for msg := range batch.Messages() {
			require.Equal(t, message(len(got)).Data, msg.Data(), "byte for byte")
			got = append(got, msg)
		}
		require.Len(t, got, 3)
		require.Equal(t, both("delivery: events.orders.paid id-0", "delivery: events.orders.paid id-1",
			"delivery: events.orders.paid id-2"), tale(settled(t)))

		require.NoError(t, got[0].Ack())
		require.NoError(t, got[1].DoubleAck(ctx))
		require.NoError(t, got[2].InProgress())
		require.NoError(t, got[2].Nak())
		require.NoError(t, b.nats.Flush())
		moments := settled(t)
		require.Equal(t, both("ack: events.orders.paid id-0", "ack: events.orders.paid id-1"), tale(moments))

		again, err := consumer.Fetch(1)
		require.NoError(t, err)
		for msg := range again.Messages() {
			require.NoError(t, msg.Ack())
		}
		require.Equal(t, both("delivery: events.orders.paid id-2", "ack: events.orders.paid id-2"), tale(settled(t)))
	})

	t.Run("large payloads pass byte for byte", func(t *testing.T) {
		large := bytes.Repeat([]byte("\r\nMSG \x00\xff"), 100_000)
		sub, err := b.nats.SubscribeSync("elsewhere")
		require.NoError(t, err)
		require.NoError(t, b.nats.Publish("elsewhere", large))
		got, err := sub.NextMsg(5 * time.Second)
		require.NoError(t, err)
		require.True(t, bytes.Equal(large, got.Data))
		require.Equal(t, both("publish: elsewhere "), tale(settled(t)))
	})
}

// requireOrder checks of each message that its moments follow one another.
func requireOrder(t *testing.T, moments []wire.Moment, first, second wire.Kind) {
	t.Helper()
	steps := map[string][]string{}
	for _, m := range moments {
		steps[m.MessageID] = append(steps[m.MessageID], m.Phase.String()+" "+m.Kind.String())
	}
	for id, order := range steps {
		require.Equal(t, both(first.String(), second.String()), order, id)
	}
}

func TestNATSCuts(t *testing.T) {
	b := newBranch(t)
	stored := func() uint64 {
		stream, err := b.js.Stream(t.Context(), "events")
		require.NoError(t, err)
		return stream.CachedInfo().State.Msgs
	}
	for i, at := range []struct {
		kind  wire.Kind
		phase wire.Phase
		stays uint64
	}{
		{wire.Publish, wire.Before, 0},
		{wire.Publish, wire.After, 1},
		{wire.Published, wire.Before, 1},
	} {
		t.Run(at.phase.String()+" "+at.kind.String(), func(t *testing.T) {
			had := stored()
			watch(b.proxy, func(m wire.Moment) {
				if m.Kind == at.kind && m.Phase == at.phase {
					time.Sleep(20 * time.Millisecond) // the answer, if there is one, is there
					b.proxy.CutConn(m.Conn)
				}
			})
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			_, err := b.js.PublishMsg(ctx, message(i))
			require.Error(t, err)
			b.proxy.Watch(nil)
			require.Eventually(t, func() bool { return b.nats.FlushTimeout(time.Second) == nil }, 5*time.Second, 5*time.Millisecond)
			require.Equal(t, had+at.stays, stored())
		})
	}
}

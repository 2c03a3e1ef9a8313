package events_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"banyan/internal/events"
)

func TestRelay(t *testing.T) {
	t.Parallel()

	t.Run("events come in the order of their commits, each once", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		var want []string
		for i := range 600 { // more than two batches
			want = append(want, fmt.Sprintf(`{"text":"%03d"}`, i))
			w.emit(fmt.Sprintf("%03d", i))
		}
		w.relay("one")
		js := w.admin()
		soon(t, func() bool { return w.waiting() == 0 }, "the outbox is empty")
		require.Equal(t, want, w.published(js))
	})
	t.Run("a row that commits late is not passed over", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		relay, _ := w.relay("one")
		late, err := w.producer.Begin(t.Context())
		require.NoError(t, err)
		require.NoError(t, events.Emit(t.Context(), late, "note.taken", note{"late"}))
		for i := range 10 {
			w.emit(fmt.Sprint(i))
			relay.Wake()
		}
		soon(t, func() bool { return w.waiting() == 0 }, "those with higher ids and positions are published")
		require.NoError(t, late.Commit(t.Context()))
		relay.Wake()
		soon(t, func() bool { return w.waiting() == 0 }, "the late one is, too")
		require.Len(t, w.published(w.admin()), 11)
	})
	t.Run("a wake-up is much faster than the poll", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		working := w.slowRelay()
		soon(t, func() bool { return w.working() == 1 }, "the first relay works")
		standby := w.slowRelay()
		for where, relay := range map[string]*events.Relay{"works": working, "stands by": standby} {
			w.emit("quick")
			relay.Wake()
			soon(t, func() bool { return w.waiting() == 0 }, "woken on the instance that %s, the relay publishes", where)
		}
	})
	t.Run("any number of goroutines may wake it, running or not", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		relay, running := w.relay("one")
		var group sync.WaitGroup
		for range 50 {
			group.Go(func() {
				for range 1000 {
					relay.Wake()
				}
			})
		}
		group.Wait()
		running.stop()
		relay.Wake()
	})
	t.Run("published rows are deleted when they are old enough, others never", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		_, first := w.relay("one")
		w.emit("old", "new")
		soon(t, func() bool { return w.waiting() == 0 }, "both are published")
		first.stop()
		w.emit("unpublished for ages")
		for _, sql := range []string{
			`update outbox set published_at = now() - interval '25 hours' where data->>'text' = 'old'`,
			`update outbox set created_at = now() - interval '25 hours'`,
		} {
			_, err := w.producer.Exec(t.Context(), sql)
			require.NoError(t, err)
		}
		w.relay("two")
		soon(t, func() bool { return w.number(w.producer, `select count(*) from outbox`) == 2 }, "the old one is deleted")
		require.NotContains(t, w.column(w.producer, `select data->>'text' from outbox`), "old")
		soon(t, func() bool { return w.waiting() == 0 }, "the one that had to wait is published")
	})
}

func TestTwoRelays(t *testing.T) {
	t.Parallel()

	t.Run("one works, the other takes over when it ends", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		_, first := w.relay("first")
		soon(t, func() bool { return w.working() == 1 }, "the first one works")
		_, second := w.relay("second")
		for i := range 20 {
			w.emit(fmt.Sprint(i))
		}
		soon(t, func() bool { return w.waiting() == 0 }, "all are published")
		require.Equal(t, map[string]int{"first": 20}, w.sources())
		first.stop()
		w.emit("one more")
		soon(t, func() bool { return w.waiting() == 0 }, "the other one publishes")
		require.Equal(t, map[string]int{"first": 20, "second": 1}, w.sources())
		second.stop()
	})
	t.Run("one whose connection is cut goes on, or the other does", func(t *testing.T) {
		t.Parallel()
		w := provisioned(t)
		w.relay("first")
		w.relay("second")
		for i := range 5 {
			soon(t, func() bool { return w.cutWorking() == 1 }, "one works, and is cut off")
			w.emit(fmt.Sprint(i))
		}
		soon(t, func() bool { return w.waiting() == 0 }, "all are published")
		require.Len(t, w.published(w.admin()), 5)
	})
	t.Run("one that lost the lock while it waited for the broker marks nothing", func(t *testing.T) {
		t.Parallel()
		broker := newBroker(t)
		w := newWorld(t, broker.URL())
		require.NoError(t, events.Provision(t.Context(), w.admin()))
		var nc *nats.Conn
		relay, _ := w.relay("first", func(c *events.RelayConfig) { nc = c.NATS })
		w.emit("first")
		soon(t, func() bool { return w.waiting() == 0 }, "it works")
		broker.pause()
		sent := nc.Stats().OutMsgs
		w.emit("on the way")
		relay.Wake()
		soon(t, func() bool { return nc.Stats().OutMsgs > sent }, "it is sent, and waits for the acknowledgement")
		require.Equal(t, 1, w.cutWorking())
		// Whoever works now would mark it. Nobody shall, so that we see that the first did not.
		hold, err := w.producer.Acquire(t.Context())
		require.NoError(t, err)
		var held bool
		soon(t, func() bool {
			require.NoError(t, hold.QueryRow(t.Context(),
				`select pg_try_advisory_lock(hashtext('outbox'), hashtext(current_schema()))`).Scan(&held))
			return held
		}, "the lock is free")
		broker.resume()
		soon(t, func() bool { return len(w.published(w.admin())) == 2 }, "the event is on the stream")
		still(t, func() bool { return w.waiting() == 1 }, "it is not marked")
		require.NoError(t, hold.Conn().Close(t.Context()))
		hold.Release()
		soon(t, func() bool { return w.waiting() == 0 }, "once the lock is free, it is")
		require.Len(t, w.published(w.admin()), 2)
	})
}

func TestRelayWithoutBroker(t *testing.T) {
	t.Parallel()
	broker := newBroker(t)
	w := newWorld(t, broker.URL())
	require.NoError(t, events.Provision(t.Context(), w.admin()))
	broker.stop()

	relay, _ := w.relay("one") // it starts all the same
	w.emit("before")
	relay.Wake()
	still(t, func() bool { return w.waiting() == 1 }, "it waits")
	broker.start()
	soon(t, func() bool { return w.waiting() == 0 }, "it is published when the broker comes")

	broker.stop()
	w.emit("while it is away")
	relay.Wake()
	broker.start()
	soon(t, func() bool { return w.waiting() == 0 }, "it is published when the broker is back")
	soon(t, w.admin().Conn().IsConnected, "the test is connected again")
	require.Equal(t, []string{`{"text":"before"}`, `{"text":"while it is away"}`}, w.published(w.admin()))
}

// slowRelay never polls while a test runs.
func (w *world) slowRelay() *events.Relay {
	nc := w.connect("slow")
	r := events.NewRelay(events.RelayConfig{
		Pool: w.producer, NATS: nc, Area: events.Only("catalog"), Source: "slow",
		Log: quiet(w.t), Metrics: prometheus.NewRegistry(), Poll: time.Minute,
	})
	w.run(nc, r.Run)
	return r
}

// waiting are the rows that are not marked.
func (w *world) waiting() int {
	return w.number(w.producer, `select count(*) from outbox where stream_seq is null`)
}

// working are the relays that hold the lock.
func (w *world) working() int {
	return w.number(w.producer, `
		select count(*)
		from pg_locks
		where locktype = 'advisory' and granted and classid = hashtext('outbox')::oid
		  and database = (select oid from pg_database where datname = current_database())`)
}

// cutWorking ends the sessions that hold the lock.
func (w *world) cutWorking() int {
	return w.number(w.db.Superuser(), `
		select count(pg_terminate_backend(pid))
		from pg_locks
		where locktype = 'advisory' and granted and classid = hashtext('outbox')::oid
		  and database = (select oid from pg_database where datname = current_database())`)
}

// sources says how many events each process published.
func (w *world) sources() map[string]int {
	stream, err := w.admin().Stream(w.t.Context(), events.Stream)
	require.NoError(w.t, err)
	sources := map[string]int{}
	for seq := uint64(1); seq <= stream.CachedInfo().State.LastSeq; seq++ {
		msg, err := stream.GetMsg(w.t.Context(), seq)
		require.NoError(w.t, err)
		sources[msg.Header["ce-source"][0]]++
	}
	return sources
}

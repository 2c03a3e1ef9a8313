package fault

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"banyan/scripts/lab/up"
	"banyan/scripts/lab/wire"
)

// stream is where all events are.
const stream = "EVENTS"

// broker is a connection as the administrator, past the proxies.
func (w *World) broker() (*nats.Conn, jetstream.JetStream, error) {
	conn, err := nats.Connect(w.Lab.State().NATSURL, nats.Name("lab"), nats.Timeout(5*time.Second))
	if err != nil {
		return nil, nil, fmt.Errorf("reach the broker: %w", err)
	}
	js, err := jetstream.New(conn)
	if err != nil {
		conn.Close()
		return nil, nil, fmt.Errorf("use JetStream: %w", err)
	}
	return conn, js, nil
}

// lastEvent is the number of the stream's last message.
func (w *World) lastEvent(ctx context.Context) (uint64, error) {
	conn, js, err := w.broker()
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	events, err := js.Stream(ctx, stream)
	if err != nil {
		return 0, fmt.Errorf("look at the stream: %w", err)
	}
	return events.CachedInfo().State.LastSeq, nil
}

// loseTail takes away what the broker had acknowledged and not synced, as a power failure does: it is killed, the
// end of its newest file is cut off, and it is started again. While that is looked at, nobody else may publish.
func (w *World) loseTail(ctx context.Context, s Step) (Made, error) {
	w.refuseBroker(true)
	defer w.refuseBroker(false)
	random := rand.New(rand.NewPCG(s.Seed, 0))
	before, err := w.lastEvent(ctx)
	if err != nil {
		return Made{}, err
	}
	at := time.Now()
	process := w.Lab.Process(NATS)
	process.Kill9()
	if err := cutTail(w.store(), 20_000+random.Int64N(60_000)); err != nil {
		return Made{}, errors.Join(err, Restart(ctx, process))
	}
	if err := Restart(ctx, process); err != nil {
		return Made{}, fmt.Errorf("start NATS again: %w", err)
	}
	after, err := w.lastEvent(ctx)
	if err != nil {
		return Made{}, err
	}
	if after >= before {
		return Made{}, fmt.Errorf("the broker lost nothing: it ends at event %d, and ended at %d", after, before)
	}
	return Made{Ended: at, Note: fmt.Sprintf("%d events that had been acknowledged", before-after)}, nil
}

func (w *World) refuseBroker(refuse bool) {
	for _, there := range w.Net.Ways() {
		if there.To == NATS {
			proxy := w.Net.Proxy(there)
			proxy.SetFault(wire.Fault{Refuse: refuse})
			proxy.Cut()
		}
	}
}

// store is the folder of the stream's files.
func (w *World) store() string {
	return filepath.Join(w.Lab.State().Dir, "nats", "jetstream", "$G", "streams", stream, "msgs")
}

// cutTail shortens the newest file of a stream that has something in it, by half of it at most.
func cutTail(folder string, bytes int64) error {
	files, err := filepath.Glob(filepath.Join(folder, "*.blk"))
	if err != nil {
		return err
	}
	number := func(path string) int {
		n, _ := strconv.Atoi(strings.TrimSuffix(filepath.Base(path), ".blk"))
		return n
	}
	slices.SortFunc(files, func(a, b string) int { return number(b) - number(a) })
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			return fmt.Errorf("look at the broker's store: %w", err)
		}
		if info.Size() == 0 {
			continue
		}
		return os.Truncate(file, info.Size()-min(bytes, (info.Size()+1)/2))
	}
	return fmt.Errorf("the broker's store in %s is empty", folder)
}

// thrice publishes copies of the latest events, three of each and in any order, without the id by which the broker
// itself would know them.
func (w *World) thrice(ctx context.Context, s Step) (Made, error) {
	const latest, copies = 150, 3
	conn, js, err := w.broker()
	if err != nil {
		return Made{}, err
	}
	defer conn.Close()
	events, err := js.Stream(ctx, stream)
	if err != nil {
		return Made{}, fmt.Errorf("look at the stream: %w", err)
	}
	var again []*nats.Msg
	state := events.CachedInfo().State
	for seq := max(state.FirstSeq, state.LastSeq-min(state.LastSeq, latest)); seq <= state.LastSeq; seq++ {
		stored, err := events.GetMsg(ctx, seq)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue
		}
		if err != nil {
			return Made{}, fmt.Errorf("read event %d: %w", seq, err)
		}
		header := nats.Header{}
		for key, values := range stored.Header {
			if key != jetstream.MsgIDHeader {
				header[key] = values
			}
		}
		for range copies {
			again = append(again, &nats.Msg{Subject: stored.Subject, Header: header, Data: stored.Data})
		}
	}
	random := rand.New(rand.NewPCG(s.Seed, 0))
	random.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
	for _, msg := range again {
		if err := conn.PublishMsg(msg); err != nil {
			return Made{}, fmt.Errorf("publish a copy: %w", err)
		}
	}
	if err := conn.FlushTimeout(5 * time.Second); err != nil {
		return Made{}, fmt.Errorf("publish copies: %w", err)
	}
	return Made{Ended: time.Now(), Note: fmt.Sprintf("%d copies", len(again))}, nil
}

// PoisonReaders are the consumers of the subject that is poisoned, at a step of the ladder. Each of them has to put the
// event aside.
func PoisonReaders(step int) (readers []string) {
	for _, area := range []string{"catalog", "inventory", "notifications", "shipping"} {
		if up.Ladder[step].Home(area) == area {
			readers = append(readers, area)
		}
	}
	return readers
}

// poison publishes events that nobody can read, on a subject that many consumers read: one that is no JSON, one of
// other types than its readers expect, and one from a version to come.
func (w *World) poison(ctx context.Context) (Made, error) {
	conn, _, err := w.broker()
	if err != nil {
		return Made{}, err
	}
	defer conn.Close()
	bad := []struct{ version, body string }{
		{"1.0", `{"order_id": "0190`}, {"1.0", `{"order_id": 7, "account_id": [], "placed_at": "yesterday"}`}, {"9.9", `{}`},
	}
	for _, b := range bad {
		id := uuid.Must(uuid.NewV7()).String()
		w.Planted = append(w.Planted, id)
		msg := &nats.Msg{Subject: "events.orders.order.paid", Data: []byte(b.body), Header: nats.Header{
			"ce-specversion": {b.version}, "ce-id": {id}, "ce-type": {"order.paid"}, "ce-source": {"lab"},
			"ce-time": {time.Now().UTC().Format(time.RFC3339Nano)}, "content-type": {"application/json"},
		}}
		if err := conn.PublishMsg(msg); err != nil {
			return Made{}, fmt.Errorf("publish poison: %w", err)
		}
	}
	if err := conn.FlushTimeout(5 * time.Second); err != nil {
		return Made{}, fmt.Errorf("publish poison: %w", err)
	}
	return Made{Ended: time.Now(), Note: fmt.Sprintf("%d events", len(bad))}, nil
}

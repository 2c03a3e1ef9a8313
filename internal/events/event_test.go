package events

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"banyan/internal/fault"
)

func TestEventOnTheWire(t *testing.T) {
	t.Parallel()
	e := Event{
		ID: uuid.Must(uuid.NewV7()), Type: "note.taken", Source: "desk-1",
		Time:  time.Date(2026, 1, 2, 3, 4, 5, 678_900_000, time.UTC),
		Trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		Data:  []byte(`{"text":"hello"}`),
	}

	t.Run("what is sent is what arrives", func(t *testing.T) {
		t.Parallel()
		msg := e.message("desk")
		got, err := decode(msg.Subject, msg.Header, msg.Data)
		require.NoError(t, err)
		require.Equal(t, e, got)
	})
	t.Run("headers are read whatever their case", func(t *testing.T) {
		t.Parallel()
		got, err := decode("events.desk.note.taken", nats.Header{
			"Ce-Specversion": {"1.0"}, "CE-ID": {e.ID.String()}, "Ce-Type": {"note.taken"}, "ce-Source": {"desk-1"},
			"CE-Time": {"2026-01-02T03:04:05.6789Z"}, "Traceparent": {e.Trace},
		}, e.Data)
		require.NoError(t, err)
		require.Equal(t, e, got)
	})
	t.Run("without a trace there is no traceparent", func(t *testing.T) {
		t.Parallel()
		untraced := e
		untraced.Trace = ""
		require.NotContains(t, untraced.message("desk").Header, headerTrace)
	})
	t.Run("what has no readable id gets one that is always the same", func(t *testing.T) {
		t.Parallel()
		read := func(body string) uuid.UUID {
			got, err := decode("events.desk.note.taken", nil, []byte(body))
			require.Equal(t, fault.Malformed, fault.KindOf(err))
			return got.ID
		}
		require.Equal(t, read("rubbish"), read("rubbish"))
		require.NotEqual(t, read("rubbish"), read("other rubbish"))
	})
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	for n, want := range map[uint64]time.Duration{
		0: 100 * time.Millisecond, 1: 100 * time.Millisecond, 2: 200 * time.Millisecond, 5: 1600 * time.Millisecond,
		9: 25600 * time.Millisecond, 10: 30 * time.Second, 31: 30 * time.Second, 1 << 40: 30 * time.Second,
	} {
		for range 20 {
			got := backoff(n, firstRedeliver, lastRedeliver)
			require.LessOrEqual(t, got, want, "failure %d", n)
			require.GreaterOrEqual(t, got, want*3/4, "failure %d", n)
		}
	}
}

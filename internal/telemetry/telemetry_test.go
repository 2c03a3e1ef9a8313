package telemetry_test

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"banyan/internal/telemetry"
)

func TestTrace(t *testing.T) {
	t.Parallel()
	const example = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

	t.Run("what is read is written again", func(t *testing.T) {
		t.Parallel()
		trace, ok := telemetry.ParseTrace(example)
		require.True(t, ok)
		require.Equal(t, example, trace.String())
		made := telemetry.NewTrace()
		again, ok := telemetry.ParseTrace(made.String())
		require.True(t, ok)
		require.Equal(t, made, again)
	})
	t.Run("a child belongs to the same trace and is another span", func(t *testing.T) {
		t.Parallel()
		trace, _ := telemetry.ParseTrace(example)
		child := trace.Child()
		require.Equal(t, trace.ID(), child.ID())
		require.NotEqual(t, trace.String(), child.String())
		require.True(t, strings.HasSuffix(child.String(), "-01"), "whether it is sampled goes on")
	})
	t.Run("anything else starts a trace of its own", func(t *testing.T) {
		t.Parallel()
		for _, bad := range []string{
			"", "00", example[:54], example + "0", strings.ToUpper(example), strings.Replace(example, "00-", "01-", 1),
			"00-00000000000000000000000000000000-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
			strings.Replace(example, "0af7", "0zf7", 1), strings.Replace(example, "-", "_", 2),
		} {
			_, ok := telemetry.ParseTrace(bad)
			require.False(t, ok, bad)
		}
	})
	t.Run("a context carries it", func(t *testing.T) {
		t.Parallel()
		require.Empty(t, telemetry.Traceparent(t.Context()))
		trace := telemetry.NewTrace()
		sent, ok := telemetry.ParseTrace(telemetry.Traceparent(telemetry.WithTrace(t.Context(), trace)))
		require.True(t, ok)
		require.Equal(t, trace.ID(), sent.ID())
	})
}

func FuzzParseTrace(f *testing.F) {
	f.Add("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	f.Fuzz(func(t *testing.T, s string) {
		if trace, ok := telemetry.ParseTrace(s); ok {
			require.Equal(t, s, trace.String())
		}
	})
}

func TestLogger(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	log := telemetry.NewLogger(&out, "catalog", slog.LevelInfo)
	trace := telemetry.NewTrace()
	log.With("a", 1).WithGroup("g").InfoContext(telemetry.WithTrace(t.Context(), trace), "hello", "b", 2)
	log.Debug("not written")

	var line map[string]any
	require.NoError(t, json.Unmarshal([]byte(out.String()), &line), out.String())
	require.Equal(t, "catalog", line["process"])
	require.Equal(t, map[string]any{"b": 2.0, "trace_id": trace.ID()}, line["g"])
}

func TestRequests(t *testing.T) {
	t.Parallel()
	registry := telemetry.NewRegistry()
	m := telemetry.NewRequests(registry)
	m.Observe("GET", "/v1/things/:id", 200, time.Millisecond)
	m.Observe("GET", "/v1/things/:id", 200, time.Second)
	m.Observe("XYZZY", "/v1/things/:id", 405, time.Millisecond)
	m.Observe("PLUGH", "/v1/things/:id", 405, time.Millisecond)
	n, err := testutil.GatherAndCount(registry, "http_request_seconds")
	require.NoError(t, err)
	require.Equal(t, 2, n, "methods that anybody can make up share a series")
}

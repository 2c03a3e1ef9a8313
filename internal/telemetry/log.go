package telemetry

import (
	"context"
	"io"
	"log/slog"
)

// NewLogger writes JSON lines to w, each with the process's name and, where the
// context has one, the trace id.
func NewLogger(w io.Writer, process string, level slog.Level) *slog.Logger {
	h := slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})
	return slog.New(traced{h}).With("process", process)
}

// traced adds the context's trace id to each record.
type traced struct{ slog.Handler }

func (h traced) Handle(ctx context.Context, r slog.Record) error {
	if t, ok := FromContext(ctx); ok {
		r.AddAttrs(slog.String("trace_id", t.ID()))
	}
	return h.Handler.Handle(ctx, r)
}

func (h traced) WithAttrs(attrs []slog.Attr) slog.Handler {
	return traced{h.Handler.WithAttrs(attrs)}
}

func (h traced) WithGroup(name string) slog.Handler {
	return traced{h.Handler.WithGroup(name)}
}

package telemetry

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
)

// Trace is the context that W3C Trace Context calls traceparent
// (https://www.w3.org/TR/trace-context/): which trace a piece of work belongs
// to, and which span is its parent.
type Trace struct {
	trace [16]byte
	span  [8]byte
	flags byte
}

// NewTrace starts a trace. Its ids are random but not secret.
func NewTrace() Trace {
	var t Trace
	binary.LittleEndian.PutUint64(t.trace[:8], rand.Uint64())
	binary.LittleEndian.PutUint64(t.trace[8:], rand.Uint64()|1) // all zero is invalid
	return t.Child()
}

// Child is the same trace with a span of its own.
func (t Trace) Child() Trace {
	binary.LittleEndian.PutUint64(t.span[:], rand.Uint64()|1)
	return t
}

// ID is the trace id in lower-case hex.
func (t Trace) ID() string { return hex.EncodeToString(t.trace[:]) }

// String is the value of a traceparent header.
func (t Trace) String() string {
	b := make([]byte, 0, 55)
	b = append(b, "00-"...)
	b = hex.AppendEncode(b, t.trace[:])
	b = append(b, '-')
	b = hex.AppendEncode(b, t.span[:])
	b = append(b, '-')
	b = hex.AppendEncode(b, []byte{t.flags})
	return string(b)
}

// ParseTrace reads a traceparent. Anything that is not a valid one of version
// 00 is reported as absent, as the standard asks: a new trace starts then.
func ParseTrace(s string) (Trace, bool) {
	var t Trace
	if len(s) != 55 || s[:3] != "00-" || s[35] != '-' || s[52] != '-' {
		return t, false
	}
	var flags [1]byte
	if !lowerHex(t.trace[:], s[3:35]) || !lowerHex(t.span[:], s[36:52]) || !lowerHex(flags[:], s[53:]) {
		return Trace{}, false
	}
	t.flags = flags[0]
	if t.trace == [16]byte{} || t.span == [8]byte{} {
		return Trace{}, false
	}
	return t, true
}

func lowerHex(into []byte, s string) bool {
	for i := range len(s) {
		if c := s[i]; !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f') {
			return false
		}
	}
	_, err := hex.Decode(into, []byte(s))
	return err == nil
}

type traceKey struct{}

// WithTrace returns a context that belongs to t.
func WithTrace(ctx context.Context, t Trace) context.Context {
	return context.WithValue(ctx, traceKey{}, t)
}

// FromContext returns the trace that ctx belongs to.
func FromContext(ctx context.Context) (Trace, bool) {
	t, ok := ctx.Value(traceKey{}).(Trace)
	return t, ok
}

// Traceparent is the header value to send with work done for ctx, or "" if ctx
// belongs to no trace.
func Traceparent(ctx context.Context) string {
	t, ok := FromContext(ctx)
	if !ok {
		return ""
	}
	return t.Child().String()
}

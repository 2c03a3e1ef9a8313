package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/labstack/echo/v4"

	"banyan/internal/telemetry"
)

// Options of a server.
type Options struct {
	Log     *slog.Logger
	Metrics *telemetry.Requests // nil measures nothing
	Timeout time.Duration       // the longest a handler may take; 10 s if zero, no limit if negative
	MaxBody int64               // bytes of a request body; 64 KiB if zero
}

// SlowRequest is the time from which a request is worth a log line of its own.
const SlowRequest = time.Second

// New makes an Echo server with everything that must not be forgotten: request
// ids and traces, recovery, deadlines, a body limit, one meaning for every path and query,
// HEAD wherever there is GET, metrics, an access log, and problem+json for every error. The
// address of a client is that of its connection; no header is believed.
func New(o Options) *echo.Echo {
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.MaxBody == 0 {
		o.MaxBody = 64 << 10
	}
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = echo.ExtractIPDirect()
	// HEAD is GET without the body (RFC 9110, section 9.3.2), and net/http leaves the body out. As a route of its own it
	// needs no look at each request, and Allow lists it.
	e.OnAddRouteHandler = func(_ string, added echo.Route, h echo.HandlerFunc, m []echo.MiddlewareFunc) {
		if added.Method == http.MethodGet {
			e.HEAD(added.Path, h, m...)
		}
	}
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		if c.Response().Committed {
			return // the client has part of an answer already
		}
		WriteProblem(c.Response(), err)
	}
	e.Use(observe(o))
	return e
}

// observe is one middleware instead of six, since each costs a closure and a
// call on every request.
func observe(o Options) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			req := c.Request()
			began := arrival(req.Context())
			trace, ok := telemetry.ParseTrace(req.Header.Get("Traceparent"))
			if !ok {
				trace = telemetry.NewTrace()
			}
			id := req.Header.Get(echo.HeaderXRequestID)
			if !plain(id) {
				id = trace.ID()
			}
			c.Response().Header().Set(echo.HeaderXRequestID, id)

			ctx := telemetry.WithTrace(req.Context(), trace)
			if o.Timeout > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, o.Timeout)
				defer cancel()
			}
			c.SetRequest(req.WithContext(ctx))

			err := plainQuery(c)
			switch {
			case !plainPath(echo.GetPath(req)):
				err = echo.ErrNotFound
			case err != nil:
			case req.ContentLength > o.MaxBody:
				err = errTooLarge
			default:
				if req.Body != nil && req.Body != http.NoBody {
					c.Request().Body = http.MaxBytesReader(c.Response(), req.Body, o.MaxBody)
				}
				err = recovered(next, c)
			}
			aborted := errors.Is(err, http.ErrAbortHandler)
			if err != nil && !aborted {
				c.Error(err)
			}
			took := time.Since(began)
			if o.Metrics != nil {
				o.Metrics.Observe(req.Method, c.Path(), c.Response().Status, took)
			}
			access(ctx, o.Log, c, err, took)
			if aborted {
				panic(http.ErrAbortHandler) // net/http breaks the connection off, so that the client notices
			}
			return nil
		}
	}
}

type arrivalKey struct{}

// Arrived makes a request whose time, in logs and metrics, began at the given one, for it had to wait before it came here.
func Arrived(r *http.Request, at time.Time) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), arrivalKey{}, at))
}

// arrival is when a request came: now, unless it had to wait.
func arrival(ctx context.Context) time.Time {
	if at, waited := ctx.Value(arrivalKey{}).(time.Time); waited {
		return at
	}
	return time.Now()
}

// recovered turns a panic into an error with its stack; the one that is meant for net/http is an error already.
func recovered(next echo.HandlerFunc, c echo.Context) (err error) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			err = http.ErrAbortHandler
		default:
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return next(c)
}

// access writes what an operator would look for: failures of ours as errors,
// slow answers and those that were cut as warnings, everything else only when debugging, a client that hung up included.
func access(ctx context.Context, log *slog.Logger, c echo.Context, err error, took time.Duration) {
	status := c.Response().Status
	level := slog.LevelDebug
	switch {
	case status >= 500 && !errors.Is(err, context.Canceled):
		level = slog.LevelError
	case took > SlowRequest, errors.Is(err, http.ErrAbortHandler) && !errors.Is(err, context.Canceled):
		level = slog.LevelWarn
	}
	if !log.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("method", c.Request().Method), slog.String("route", c.Path()),
		slog.Int("status", status), slog.Duration("took", took),
		slog.String("request_id", c.Response().Header().Get(echo.HeaderXRequestID)),
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	log.LogAttrs(ctx, level, "request", attrs...)
}

// plain accepts a request id that is safe to repeat in headers and logs.
func plain(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.') {
			return false
		}
	}
	return true
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/http/httputil"
	"sync"
	"time"

	"banyan/internal/fault"
	"banyan/internal/web"
)

const (
	upstreamTimeout = 10 * time.Second // from a request's arrival to the end of its answer
	maxBody         = 64 << 10         // bytes of a request's body
)

// hop is one request's way to its upstream. It travels in the request's context,
// since ReverseProxy is one for all of them.
type hop struct {
	route         *route
	authorization []string // the header to send; nil sends none
	requestID     string
	onSuccess     func() // before a 2xx is passed on; may be nil

	ctx         context.Context // the request's, with this hop in it
	body        *inbound        // nil for none
	upstream    *upstream       // that is asked now
	connections int             // that it was sent on
	tried       []*upstream     // in vain
	retried     bool
	err         error // why there is no answer
}

type hopKey struct{}

func hopOf(r *http.Request) *hop { return r.Context().Value(hopKey{}).(*hop) }

// newTransport makes the connections to one upstream. It keeps enough of them idle that a
// busy gateway hardly dials, and leaves bodies as they are.
func newTransport() *http.Transport {
	return &http.Transport{
		DialContext:         (&net.Dialer{Timeout: time.Second, KeepAlive: 30 * time.Second}).DialContext,
		MaxIdleConnsPerHost: 512,
		// Shorter than the services keep theirs, or they would close just as we write.
		IdleConnTimeout:        60 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true,
		Protocols:              http1(),
	}
}

func http1() *http.Protocols {
	var p http.Protocols
	p.SetHTTP1(true)
	return &p
}

// proxy forwards requests and says what became of those that got no answer.
type proxy struct{ reverse httputil.ReverseProxy }

// newProxy makes the proxy for all routes. An answer of unknown length is passed on piece
// by piece as it comes; that is what ReverseProxy does of itself.
func newProxy(log *slog.Logger) *proxy {
	return &proxy{httputil.ReverseProxy{
		Transport:      attempts{},
		Rewrite:        rewrite,
		ModifyResponse: tidy,
		ErrorHandler:   func(_ http.ResponseWriter, r *http.Request, err error) { hopOf(r).err = err },
		BufferPool:     &buffers{},
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}}
}

// forward sends the request on its hop and streams the answer to w. If there is none
// it writes nothing and returns the reason.
func (p *proxy) forward(w http.ResponseWriter, r *http.Request, h *hop) error {
	if h.upstream = h.route.pick(); h.upstream == nil {
		return errAway.After(h.route.wait())
	}
	h.ctx = context.WithValue(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { h.connections++ },
	}), hopKey{}, h)
	// ReverseProxy passes a client's Upgrade on, and with it a tunnel past the routes.
	delete(r.Header, "Upgrade")
	r = r.WithContext(h.ctx)
	if r.ContentLength != 0 {
		h.body = &inbound{ReadCloser: r.Body}
		r.Body = h.body
	}
	p.reverse.ServeHTTP(w, r)
	if h.err == nil {
		return nil
	}
	return outcome(r.Context(), h.err, h.body.failure())
}

var (
	errAway = fault.New(fault.Unavailable, "", "Something we need is away for a moment. Please try again.").After(time.Second)
	errBody = fault.New(fault.Malformed, "", "The body broke off.")

	errBadAnswer = &hopError{http.StatusBadGateway, "bad-gateway", "Bad gateway", "What we asked gave no answer that makes sense.", nil}
	errTooSlow   = &hopError{http.StatusGatewayTimeout, "gateway-timeout", "Gateway timeout", "What we asked did not answer in time.", nil}
)

// outcome names a failed hop: err is what the transport says, and inbound why the
// client's body could not be read, if so.
func outcome(ctx context.Context, err, inbound error) error {
	var tooLarge *http.MaxBytesError
	var timeout net.Error
	switch {
	case errors.As(inbound, &tooLarge):
		return inbound
	case errors.Is(ctx.Err(), context.Canceled):
		return context.Canceled // the client has gone; nobody reads the answer
	case unreachable(err):
		return errAway.Because(err)
	case errors.Is(ctx.Err(), context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return errTooSlow.because(err)
	case inbound != nil:
		return errBody.Because(inbound)
	}
	return errBadAnswer.because(err)
}

// hopError is a failure that only something between client and service can have, so
// fault knows no kind for it.
type hopError struct {
	status              int
	code, title, detail string
	cause               error
}

func (e *hopError) because(err error) *hopError {
	c := *e
	c.cause = err
	return &c
}

func (e *hopError) Error() string { return e.code + ": " + e.cause.Error() }
func (e *hopError) Unwrap() error { return e.cause }

// writeHopProblem answers with the problem if err is a hopError, and reports whether.
func writeHopProblem(w http.ResponseWriter, err error) bool {
	var e *hopError
	if !errors.As(err, &e) {
		return false
	}
	body, err := json.Marshal(struct {
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
	}{web.ProblemPrefix + e.code, e.title, e.status, e.detail})
	if err != nil {
		panic(err) // three strings and an int
	}
	w.Header().Set("Content-Type", web.ContentTypeProblem)
	w.WriteHeader(e.status)
	_, _ = w.Write(body)
	return true
}

// buffers are what answers are copied through, used again and again.
type buffers struct{ pool sync.Pool }

type buffer [32 << 10]byte

func (b *buffers) Get() []byte {
	if p, ok := b.pool.Get().(*buffer); ok {
		return p[:]
	}
	return new(buffer)[:]
}

func (b *buffers) Put(p []byte) { b.pool.Put((*buffer)(p)) }

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
	upstreamTimeout = 10 * time.Second // for an answer to begin, whichever upstream it comes from
	stallTimeout    = 10 * time.Second // without a byte of an answer that has begun
	maxBody         = 64 << 10         // bytes of a request's body
)

// hop is one request's way to its upstream. It travels in the request's context,
// since ReverseProxy is one for all of them.
type hop struct {
	route         *route
	authorization []string // the header to send; nil sends none
	requestID     string
	onSuccess     func() // before a 2xx is passed on; may be nil

	ctx      context.Context // the request's, with this hop in it
	body     *inbound        // nil for none
	upstream *upstream       // that is asked now
	wire     *wire           // that it was given last; nil for none yet
	before   int64           // bytes that were written to wire before
	sends    int             // connections on which something of it was sent
	tried    []*upstream     // in vain
	retried  bool
	claimed  bool          // of the budget, for an attempt that was not sent yet
	err      error         // why there is no answer
	answer   *answer       // nil until it begins
	stall    time.Duration // how long it may stand still
	patience *time.Timer   // ends the hop when the upstream has taken too long
}

type hopKey struct{}

func hopOf(r *http.Request) *hop { return r.Context().Value(hopKey{}).(*hop) }

// newTransport makes the connections to one upstream. It keeps enough of them idle that a
// busy gateway hardly dials, and leaves bodies as they are.
func newTransport() *http.Transport {
	return &http.Transport{
		DialContext:         dial,
		MaxIdleConnsPerHost: 512,
		// Shorter than the services keep theirs, or they would close just as we write.
		IdleConnTimeout:        60 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true,
		Protocols:              http1(),
	}
}

var dialer = net.Dialer{Timeout: time.Second, KeepAlive: 30 * time.Second}

func dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &wire{Conn: conn}, nil
}

func http1() *http.Protocols {
	var p http.Protocols
	p.SetHTTP1(true)
	return &p
}

// proxy forwards requests and says what became of those that got no answer, or not all of it.
type proxy struct {
	reverse    httputil.ReverseProxy
	first, gap time.Duration // upstreamTimeout and stallTimeout
}

// newProxy makes the proxy for all routes. An answer of unknown length is passed on piece
// by piece as it comes; that is what ReverseProxy does of itself.
func newProxy(log *slog.Logger) *proxy {
	return &proxy{first: upstreamTimeout, gap: stallTimeout, reverse: httputil.ReverseProxy{
		Transport:      attempts{},
		Rewrite:        rewrite,
		ModifyResponse: tidy,
		ErrorHandler:   func(_ http.ResponseWriter, r *http.Request, err error) { hopOf(r).err = err },
		BufferPool:     &buffers{},
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}}
}

// forward sends the request on its hop and streams the answer to w. If there is none
// it writes nothing and returns the reason. An answer that was cut is http.ErrAbortHandler, and the reason.
//
// The upstream has its time to begin, and then until the next byte comes. How long the client takes to read what there is
// is not held against it; the server gives up a client that does not read.
func (p *proxy) forward(w http.ResponseWriter, r *http.Request, h *hop) error {
	if h.upstream = h.route.pick(); h.upstream == nil {
		return errAway.After(h.route.wait())
	}
	ctx, end := context.WithCancelCause(r.Context())
	defer end(nil)
	h.stall, h.patience = p.gap, time.AfterFunc(p.first, func() { end(context.DeadlineExceeded) })
	defer h.patience.Stop()
	h.ctx = context.WithValue(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(got httptrace.GotConnInfo) { h.count(false); h.use(got.Conn) },
	}), hopKey{}, h)
	// ReverseProxy passes a client's Upgrade on, and with it a tunnel past the routes.
	delete(r.Header, "Upgrade")
	r = r.WithContext(h.ctx)
	if r.ContentLength != 0 {
		h.body = &inbound{ReadCloser: r.Body}
		r.Body = h.body
	}
	client := &reader{ResponseWriter: w}
	whole := p.stream(client, r)
	switch {
	case h.err != nil:
		return outcome(h.ctx, h.err, h.body.failure())
	case whole && client.err == nil:
		return nil
	}
	return h.cut(client.err)
}

// stream reports whether the answer came to its end, if it has begun.
func (p *proxy) stream(w http.ResponseWriter, r *http.Request) (whole bool) {
	defer func() {
		if p := recover(); p != nil && p != http.ErrAbortHandler {
			panic(p)
		}
	}()
	p.reverse.ServeHTTP(w, r)
	return true
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
	case errors.Is(context.Cause(ctx), context.Canceled):
		return context.Canceled // the client has gone; nobody reads the answer
	case unreachable(err):
		return errAway.Because(err)
	case errors.Is(context.Cause(ctx), context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
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

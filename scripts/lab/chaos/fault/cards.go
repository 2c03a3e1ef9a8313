package fault

import (
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"time"
)

// Cards stands before the card processor and makes it worse than it is. The ledger stays the witness: it is written
// behind this.
type Cards struct {
	// Delay is how long each request waits, in nanoseconds.
	Delay atomic.Int64
	// Failing answers 500 to everything, before the card processor hears of it.
	Failing atomic.Bool
	// Dumb passes requests on and cuts the connection in the place of the answer.
	Dumb atomic.Bool

	server *http.Server
	addr   string
}

// before returns the address that stands before the processor at target.
func (c *Cards) before(target string) (string, error) {
	if c.server != nil {
		return c.addr, nil
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: target})
	proxy.ModifyResponse = func(*http.Response) error {
		if c.Dumb.Load() {
			return errDumb
		}
		return nil
	}
	proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	c.addr = listener.Addr().String()
	c.server = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(time.Duration(c.Delay.Load())):
		case <-r.Context().Done():
		}
		if c.Failing.Load() {
			http.Error(w, "the card processor has trouble of its own", http.StatusInternalServerError)
			return
		}
		proxy.ServeHTTP(w, r)
	})}
	go func() { _ = c.server.Serve(listener) }()
	return c.addr, nil
}

var errDumb = errors.New("charged, and not answered")

func (c *Cards) close() error {
	if c.server == nil {
		return nil
	}
	return c.server.Close()
}

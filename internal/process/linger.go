package process

import (
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

const (
	lingerTime = time.Second          // at most
	lingerLook = 5 * time.Millisecond // how often it is looked at who is left
)

// visitors are the connections of a server that is to be left without harm.
//
// A server must not just close a connection that is idle: the next request may be on its way already, and whoever
// sent it can't know whether it was done. Only an answer can say that it was the connection's last one. So a server
// that stops lingers: for a short time it goes on as before, also with new connections, but every answer says
// "Connection: close" (RFC 9112, section 9.6). Its clients leave by themselves, and those that have another
// instance to go to stay there. That is the lame duck state of Google's "Site Reliability Engineering",
// https://sre.google/sre-book/load-balancing-datacenter/. The server's own SetKeepAlivesEnabled(false) says the same, but
// closes idle connections at once.
//
// A connection that nobody uses in that time is closed in the end, as it might have been by its idle timeout.
type visitors struct {
	leaving  atomic.Bool
	open     atomic.Int64
	patience time.Duration
}

// watch follows a server's connections.
func (v *visitors) watch(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		v.open.Add(1)
	case http.StateClosed, http.StateHijacked:
		v.open.Add(-1)
	}
}

// linger lets every answer be its connection's last from now on, and returns when no connection is left, or after
// a second.
func (v *visitors) linger() {
	v.leaving.Store(true)
	for end := time.Now().Add(lingerTime); v.open.Load() > 0 && time.Now().Before(end); {
		time.Sleep(lingerLook)
	}
}

// tell adds to the answers of h what lingering needs, and lets slow readers have all of them.
func (v *visitors) tell(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(&farewell{w, v, pace{patience: v.patience, body: r.ContentLength != 0, renewed: time.Now()}}, r)
		if v.leaving.Load() {
			w.Header().Set("Connection", "close") // for an answer that was left to net/http
		}
	})
}

// farewell looks when the header goes out, not when the request comes: it may have come before.
type farewell struct {
	http.ResponseWriter
	*visitors
	pace pace
}

func (f *farewell) WriteHeader(status int) {
	if f.leaving.Load() {
		f.Header().Set("Connection", "close")
	}
	f.ResponseWriter.WriteHeader(status)
}

func (f *farewell) Write(b []byte) (int, error) {
	if f.leaving.Load() {
		f.Header().Set("Connection", "close") // the first one sends the header; later it does nothing
	}
	return f.pace.write(f.ResponseWriter, b)
}

// Unwrap lets http.ResponseController flush.
func (f *farewell) Unwrap() http.ResponseWriter { return f.ResponseWriter }

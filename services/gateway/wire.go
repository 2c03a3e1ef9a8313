package main

import (
	"crypto/tls"
	"net"
	"sync/atomic"
)

// wire is a connection to an upstream that counts what is written to it. Nothing else says whether a request was sent:
// net/http takes an idle connection that the other side has closed already, writes nothing, and takes another.
type wire struct {
	net.Conn
	written atomic.Int64
}

func (w *wire) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	w.written.Add(int64(n))
	return n, err
}

// use takes down the connection that the hop is given now.
func (h *hop) use(conn net.Conn) {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	h.wire = conn.(*wire)
	h.before = h.wire.written.Load()
}

// count counts the hop's last connection, once, if something was sent on it. What was answered was sent, although the
// goroutine that writes may not have taken it down yet; when a connection fails, net/http waits for that goroutine.
func (h *hop) count(answered bool) {
	if h.wire != nil && (answered || h.wire.written.Load() > h.before) {
		h.sends++
	}
	h.wire = nil
}

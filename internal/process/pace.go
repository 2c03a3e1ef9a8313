package process

import (
	"net/http"
	"time"
)

const (
	// patience is how long a client may take to make room for the next piece of its answer. It has to be long: a full send
	// buffer of a few megabytes is written to again only when a third of it has gone, which takes a reader of 80 kB/s a quarter
	// of a minute.
	patience = 30 * time.Second
	piece    = 64 << 10
	lately   = time.Second // for so long a deadline is as good as new
)

// pace lets an answer take as long as its client reads steadily, and gives up a client that does not read. The server's
// WriteTimeout is for the first piece; were it for the whole, a large answer on a bad line would be cut, and how large depended on the
// kernel's buffers.
//
// The deadline for reading moves along, unless it is that of a body, which a client must not send as slowly. The server reads
// while a handler writes, to notice that a client hangs up, and takes the end of ReadTimeout for one.
type pace struct {
	patience time.Duration
	body     bool // the request has one
	renewed  time.Time
	written  int // since then
}

// write writes b in pieces.
func (p *pace) write(w http.ResponseWriter, b []byte) (n int, err error) {
	for {
		part := b[n:min(n+piece, len(b))]
		p.before(w, len(part))
		m, err := w.Write(part)
		n += m
		if err != nil || n >= len(b) {
			return n, err
		}
	}
}

// before renews the deadlines for the next piece, unless they are new. A small answer that comes soon costs nothing but a
// look at the clock.
func (p *pace) before(w http.ResponseWriter, size int) {
	now := time.Now()
	if p.written += size; p.written <= piece && now.Sub(p.renewed) < lately {
		return
	}
	p.renewed, p.written = now, size
	connection, end := http.NewResponseController(w), now.Add(p.patience)
	// A connection that has broken says so when it is written to.
	_ = connection.SetWriteDeadline(end)
	if !p.body {
		_ = connection.SetReadDeadline(end)
	}
}

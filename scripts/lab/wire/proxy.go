package wire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// dialWithin is how long the target may take to accept a connection.
const dialWithin = 5 * time.Second

// Proxy stands before one server.
type Proxy struct {
	target   string
	protocol Protocol
	listener *net.TCPListener
	ctx      context.Context // ends with Close
	stop     context.CancelFunc
	running  sync.WaitGroup

	fault  atomic.Pointer[Fault]
	watch  atomic.Pointer[func(Moment)]
	unread atomic.Int64

	mu     sync.Mutex
	conns  map[int64]*conn
	last   int64 // connection's number
	closed bool
}

// Listen starts a proxy on a free port of 127.0.0.1 in front of target (host:port). The target is dialled for each
// connection, so it may come and go.
func Listen(target string, protocol Protocol) (*Proxy, error) {
	if _, _, err := net.SplitHostPort(target); err != nil {
		return nil, fmt.Errorf("proxy %q: the target has to be host:port: %w", target, err)
	}
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, fmt.Errorf("proxy %s: %w", target, err)
	}
	p := &Proxy{target: target, protocol: protocol, listener: listener, conns: map[int64]*conn{}}
	p.ctx, p.stop = context.WithCancel(context.Background())
	p.fault.Store(&Fault{})
	p.running.Go(p.accept)
	return p, nil
}

// Addr is where the proxy listens, as host:port.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Close resets all connections and waits until nothing of the proxy runs. A function given to Watch must not call
// it: it would wait for itself.
func (p *Proxy) Close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.stop()
	err := p.listener.Close()
	p.Cut()
	p.running.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil // for the second time
	}
	return err
}

// Watch sets the function that is called at each moment, on the goroutine that carries the connection: what it does
// happens before the message is passed on (Before), or before anything else of this connection is, in either direction
// (After). It may call Cut, CutConn and SetFault. It must not wait for another message of the same connection, which
// is waiting for it. Nil watches nothing; a call that has begun is not waited for.
func (p *Proxy) Watch(see func(Moment)) {
	if see == nil {
		p.watch.Store(nil)
		return
	}
	p.watch.Store(&see)
}

// Cut resets all open connections, both ends.
func (p *Proxy) Cut() {
	for _, c := range p.open() {
		c.reset()
	}
}

// CutConn resets one connection, if it is still open. A watcher that kills the sender of a message calls it as
// well: what the dead have sent is otherwise passed on. A sender that lives on may act on the cut: pgx asks PostgreSQL by
// a new connection to cancel what was running. Where that must not be, SetFault with Refuse cuts and keeps it out.
func (p *Proxy) CutConn(id int64) {
	p.mu.Lock()
	c := p.conns[id]
	p.mu.Unlock()
	if c != nil {
		c.reset()
	}
}

// Unread is how many connections the proxy did not understand, or not to their end: encrypted, malformed, or
// of a part of the protocol that it does not know. They were passed on as plain bytes.
func (p *Proxy) Unread() int64 { return p.unread.Load() }

func (p *Proxy) open() []*conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]*conn, 0, len(p.conns))
	for _, c := range p.conns {
		all = append(all, c)
	}
	return all
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.AcceptTCP()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of file descriptors, perhaps: some will be given back
			select {
			case <-p.ctx.Done():
				return
			case <-time.After(10 * time.Millisecond):
			}
			continue
		}
		c := p.add(client)
		if c == nil {
			abort(client)
			continue
		}
		// Asked after the connection is known: a Refuse that is set just now either is seen here or finds it.
		if p.fault.Load().Refuse {
			c.reset()
			p.remove(c)
			continue
		}
		p.running.Go(c.serve)
	}
}

// add makes a connection known; nil if the proxy is closed.
func (p *Proxy) add(client *net.TCPConn) *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.last++
	c := &conn{proxy: p, id: p.last, done: make(chan struct{})}
	c.ends[requests] = client
	c.decoders[requests], c.decoders[answers] = decode(p.protocol)
	c.plain.Store(p.protocol == Plain)
	p.conns[c.id] = c
	return c
}

func (p *Proxy) remove(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c.id)
}

// dial reaches the target.
func (p *Proxy) dial() (*net.TCPConn, error) {
	dialer := net.Dialer{Timeout: dialWithin}
	target, err := dialer.DialContext(p.ctx, "tcp", p.target)
	if err != nil {
		return nil, err
	}
	return target.(*net.TCPConn), nil
}

// abort closes by RST: whoever is at the other end learns of it at once, and not in an orderly way.
func abort(end *net.TCPConn) {
	_ = end.SetLinger(0)
	_ = end.Close()
}

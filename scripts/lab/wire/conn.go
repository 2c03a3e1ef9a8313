package wire

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// side is an end of a connection, and the direction of what that end sends.
type side int

const (
	requests side = iota // the side that dialled
	answers              // the target
)

func (s side) other() side { return 1 - s }

// stall is how long a watched message may wait to be taken before the other direction is let pass.
const stall = 10 * time.Millisecond

// conn is one connection through a proxy: two sockets, and a goroutine for each direction.
type conn struct {
	proxy    *Proxy
	id       int64
	ends     [2]*net.TCPConn
	decoders [2]decoder
	plain    atomic.Bool    // nothing is decoded, or no more
	lost     [2]atomic.Bool // a fault swallowed something of this direction

	// A direction's gate is held while a watched message of it passes, until the watcher has returned. The other
	// direction passes through it between reading and writing: what it has read meanwhile may be the answer.
	gates [2]sync.Mutex
	after [2]atomic.Bool // the watcher is being told that a message of this direction has passed

	mu     sync.Mutex
	closed bool
	done   chan struct{}
}

// serve carries the connection from its acceptance to its end.
func (c *conn) serve() {
	defer c.proxy.remove(c)
	target, err := c.proxy.dial()
	if err != nil || !c.join(target) {
		c.reset()
		return
	}
	var back sync.WaitGroup
	back.Go(func() { c.carry(answers) })
	c.carry(requests)
	back.Wait()
	c.close(func(_ side, end *net.TCPConn) { _ = end.Close() })
}

// join adds the target's end, unless the connection was cut while it was dialled.
func (c *conn) join(target *net.TCPConn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		abort(target)
		return false
	}
	c.ends[answers] = target
	return true
}

// reset closes both ends by RST. It waits for nobody.
//
// A receiver may lose by it what it has not read yet. But that its message is with it is what the watcher was just told,
// so the receiver's end is closed in order.
func (c *conn) reset() {
	c.close(func(at side, end *net.TCPConn) {
		if c.after[at.other()].Load() {
			_ = end.Close()
			return
		}
		abort(end)
	})
}

func (c *conn) close(how func(side, *net.TCPConn)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.closed = true
	close(c.done)
	for at, end := range c.ends {
		if end != nil {
			how(side(at), end)
		}
	}
}

// sleep reports whether the connection is still open afterwards.
func (c *conn) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.done:
		return false
	}
}

// carry passes on what one side sends until it has sent all. Any other end of it is the connection's: a process
// that died must be dead for its partner too, and at once.
func (c *conn) carry(from side) {
	in := source{conn: c, from: from, end: c.ends[from]}
	for {
		chunk, err := in.next()
		if err == nil {
			err = c.pass(from, chunk.data[:chunk.n])
			chunks.Put(chunk.data)
		} else if errors.Is(err, io.EOF) {
			err = c.passEnd(from)
			if err == nil {
				return
			}
		}
		if err != nil {
			c.reset()
			return
		}
	}
}

// pass passes on a chunk, and stops at each message that is watched.
func (c *conn) pass(from side, b []byte) error {
	for len(b) > 0 && !c.plain.Load() {
		// The decoder comes first, watched or not: the answer is read with what it has learnt.
		watch := c.proxy.watch.Load()
		begin, end, m, err := c.decoders[from].next(b, watch != nil)
		if err != nil {
			c.giveUp()
			break
		}
		if m == nil {
			break
		}
		m.Conn = c.id
		if err := c.write(from, b[:begin]); err != nil {
			return err
		}
		message := b[begin:end]
		if err := c.show(from, *watch, *m, func() (bool, error) { return c.try(from, &message) }); err != nil {
			return err
		}
		b = b[end:]
	}
	return c.write(from, b)
}

// passEnd tells the other side that nothing more will come. It may be what ends a message.
func (c *conn) passEnd(from side) error {
	end := func() (bool, error) { return true, c.ends[from.other()].CloseWrite() }
	watch := c.proxy.watch.Load()
	if watch != nil && !c.plain.Load() {
		if m := c.decoders[from].end(); m != nil {
			m.Conn = c.id
			return c.show(from, *watch, *m, end)
		}
	}
	c.wait(from)
	_, err := end()
	return err
}

// giveUp has the connection copied from now on, both directions of it: they are understood together or not at all.
func (c *conn) giveUp() {
	if c.plain.CompareAndSwap(false, true) {
		c.proxy.unread.Add(1)
	}
}

// show passes a message on with the watcher called before and after. The gate is held from before its last byte is
// gone until the watcher has returned.
func (c *conn) show(from side, watch func(Moment), m Moment, try func() (done bool, err error)) error {
	c.wait(from) // what this message answers must be through with its watcher
	m.Phase = Before
	watch(m)
	c.wait(from)
	attempt := func() (bool, error) {
		c.gates[from].Lock()
		defer c.gates[from].Unlock()
		done, err := try()
		if done && err == nil {
			c.after[from].Store(true)
			defer c.after[from].Store(false)
			m.Phase = After
			watch(m)
		}
		return done, err
	}
	for {
		if done, err := attempt(); done || err != nil {
			return err
		}
		// The receiver takes nothing, maybe because nobody takes what it sends. While it does not have the
		// whole message, what it sends is no answer to it and may pass.
		if !c.sleep(time.Millisecond) {
			return net.ErrClosed
		}
	}
}

// try writes what it can without waiting for long.
func (c *conn) try(from side, b *[]byte) (done bool, err error) {
	out := c.ends[from.other()]
	_ = out.SetWriteDeadline(time.Now().Add(stall))
	n, err := out.Write(*b)
	*b = (*b)[n:]
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return false, nil
	}
	_ = out.SetWriteDeadline(time.Time{})
	return true, err
}

func (c *conn) write(from side, b []byte) error {
	if len(b) == 0 {
		return nil
	}
	c.wait(from)
	_, err := c.ends[from.other()].Write(b)
	return err
}

// wait lets a message of the other direction finish its passing.
func (c *conn) wait(from side) {
	gate := &c.gates[from.other()]
	gate.Lock()
	//lint:ignore SA2001 it is a gate to go through; nothing behind it is protected
	gate.Unlock()
}

package wire

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// Fault is what is wrong with the connections of a proxy; zero is nothing.
//
// A stream that has lost bytes can't go on, for TCP delivers all or ends. So connections of which something was
// swallowed are reset when that fault is lifted. The end of a stream is passed on even so, or nobody would ever close
// the other end.
type Fault struct {
	Delay        time.Duration // added to each direction; the order is kept
	Refuse       bool          // new connections are reset at once, and those that are open are cut
	DropRequests bool          // one-way: what the dialling side sends is swallowed, connections stay open
	DropAnswers  bool          // one-way: what the target sends is swallowed
}

func (f *Fault) drops(from side) bool {
	if from == requests {
		return f.DropRequests
	}
	return f.DropAnswers
}

// SetFault replaces the fault, of new connections and of what open ones read from now on.
func (p *Proxy) SetFault(f Fault) {
	p.fault.Store(&f)
	for _, c := range p.open() {
		if f.Refuse || c.brokenUnder(&f) {
			c.reset()
		}
	}
}

// brokenUnder reports whether a direction that lost bytes is open again.
func (c *conn) brokenUnder(f *Fault) bool {
	return c.lost[requests].Load() && !f.DropRequests || c.lost[answers].Load() && !f.DropAnswers
}

const (
	chunkSize = 32 << 10
	mostAway  = 128 // chunks of one direction that a delay may hold
)

var chunks = sync.Pool{New: func() any { return new([chunkSize]byte) }}

// chunk is what one read brought.
type chunk struct {
	data *[chunkSize]byte
	n    int
	due  time.Time
}

// source reads one end of a connection and applies faults to what it reads. It has no goroutine of its own: while chunks
// are being delayed, it reads with the first one's time as the deadline.
type source struct {
	conn  *conn
	from  side
	end   *net.TCPConn
	away  []chunk // being delayed, in their order
	err   error   // what the last read said, for after those
	timed bool    // the end has a read deadline
}

// next is the next chunk to pass on. The caller gives its data back to chunks.
func (s *source) next() (chunk, error) {
	for {
		if len(s.away) > 0 {
			first := s.away[0]
			wait := time.Until(first.due)
			if wait <= 0 {
				s.away = append(s.away[:0], s.away[1:]...)
				return first, nil
			}
			if s.err != nil || len(s.away) == mostAway {
				if !s.conn.sleep(wait) {
					return chunk{}, net.ErrClosed
				}
				continue
			}
		} else if s.err != nil {
			return chunk{}, s.err
		}
		s.setDeadline()
		read := chunk{data: chunks.Get().(*[chunkSize]byte)}
		var err error
		read.n, err = s.end.Read(read.data[:])
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			s.err = err
		}
		if read.n == 0 || !s.keep() {
			chunks.Put(read.data)
			continue
		}
		delay := s.conn.proxy.fault.Load().Delay
		if delay <= 0 && len(s.away) == 0 {
			return read, nil
		}
		read.due = time.Now().Add(delay)
		if last := len(s.away) - 1; last >= 0 && read.due.Before(s.away[last].due) {
			read.due = s.away[last].due
		}
		s.away = append(s.away, read)
	}
}

func (s *source) setDeadline() {
	switch {
	case len(s.away) > 0:
		_ = s.end.SetReadDeadline(s.away[0].due)
		s.timed = true
	case s.timed:
		_ = s.end.SetReadDeadline(time.Time{})
		s.timed = false
	}
}

// keep reports whether what was read goes on, and remembers if it does not.
func (s *source) keep() bool {
	fault := s.conn.proxy.fault.Load()
	if !fault.drops(s.from) {
		return true
	}
	s.conn.lost[s.from].Store(true)
	// SetFault may have looked before this was known.
	if s.conn.brokenUnder(s.conn.proxy.fault.Load()) {
		s.conn.reset()
	}
	return false
}

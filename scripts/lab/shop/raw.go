package shop

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Conn is one keep-alive connection to a front. It writes and reads on the caller's goroutine and reuses its buffers. It
// connects when it is first needed, and anew after an error; it sends nothing twice. One goroutine at a time may use it.
type Conn struct {
	host   string
	within time.Duration
	wire   counted
	in     *bufio.Reader
	out    []byte
	body   []byte

	// The end of the context that was used last breaks the connection. As long as callers come with the same one,
	// nothing has to be set up for a request.
	watched context.Context
	forget  func() bool
}

// counted counts what goes through a connection, HTTP's own bytes included.
type counted struct {
	net.Conn       // nil while not connected
	sent, received int64
}

func (c *counted) Read(into []byte) (int, error) {
	n, err := c.Conn.Read(into)
	c.received += int64(n)
	return n, err
}

func (c *counted) Write(from []byte) (int, error) {
	n, err := c.Conn.Write(from)
	c.sent += int64(n)
	return n, err
}

// NewConn makes a connection to a shop's address, or to any HTTP server's.
func NewConn(base string) (*Conn, error) {
	host, err := hostOf(base, "http")
	if err != nil {
		return nil, err
	}
	return newConn(host, AnswerWithin), nil
}

func newConn(host string, within time.Duration) *Conn { return &Conn{host: host, within: within} }

// Bytes are how many were written and read so far.
func (c *Conn) Bytes() (sent, received int64) { return c.wire.sent, c.wire.received }

// Send makes a request and reads the whole answer, whose body is valid until the next request.
func (c *Conn) Send(ctx context.Context, r Request) (said Answer, err error) {
	body, err := r.encode()
	if err != nil {
		return Answer{}, err
	}
	c.out = r.append(c.out[:0], c.host, body)
	err = c.Exchange(ctx, c.out, func(in *bufio.Reader) (err error) {
		said, err = c.read(in)
		return err
	})
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("%s: %w", r, err)
	}
	if err != nil || said.closing {
		c.Close()
	}
	return said, err
}

// Exchange writes a request as it stands, and has the answer read by the function, to its end. Send is for those who do
// not have to save on that.
func (c *Conn) Exchange(ctx context.Context, out []byte, read func(*bufio.Reader) error) error {
	if err := c.connect(ctx); err != nil {
		return err
	}
	// The end of ctx sets a deadline in the past (see watch); asked afterwards, ctx can't end unseen.
	_ = c.wire.SetDeadline(time.Now().Add(c.within))
	if err := ctx.Err(); err != nil {
		return err
	}
	_, err := c.wire.Write(out)
	if err == nil {
		err = read(c.in)
	}
	if err != nil {
		c.Close()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return err
}

func (c *Conn) connect(ctx context.Context) error {
	if c.wire.Conn != nil {
		if c.watched == ctx {
			return nil
		}
		if c.forget() {
			c.watch(ctx)
			return nil
		}
		c.Close() // the context before has ended, and breaks this connection now or in a moment
	}
	dialer := net.Dialer{Timeout: c.within}
	connection, err := dialer.DialContext(ctx, "tcp", c.host)
	if err != nil {
		return err
	}
	c.wire.Conn = connection
	if c.in == nil {
		c.in = bufio.NewReaderSize(nil, 16<<10)
	}
	c.in.Reset(&c.wire)
	c.watch(ctx)
	return nil
}

func (c *Conn) watch(ctx context.Context) {
	connection := c.wire.Conn
	c.watched, c.forget = ctx, context.AfterFunc(ctx, func() { _ = connection.SetDeadline(time.Unix(1, 0)) })
}

// Close closes the connection. The next request opens it again.
func (c *Conn) Close() {
	if c.wire.Conn != nil {
		c.forget()
		_ = c.wire.Conn.Close()
		c.wire.Conn, c.watched, c.forget = nil, nil, nil
	}
}

// append writes the request as HTTP/1.1 to a buffer.
func (r Request) append(out []byte, host string, body []byte) []byte {
	header := func(name, scheme, value string) {
		if _, replaced := r.Header[name]; !replaced {
			out = append(append(append(append(append(out, name...), ": "...), scheme...), value...), "\r\n"...)
		}
	}
	out = append(append(append(append(out, r.Method...), ' '), r.Path...), " HTTP/1.1\r\nHost: "...)
	out = append(append(out, host...), "\r\n"...)
	header("Accept", "", "application/json")
	if r.Token != "" {
		header("Authorization", "Bearer ", r.Token)
	}
	if r.Key != "" {
		header("Idempotency-Key", "", r.Key)
	}
	if body != nil {
		header("Content-Type", "", "application/json")
	}
	for name, value := range r.Header {
		if value != "" {
			out = append(append(append(append(out, name...), ": "...), value...), "\r\n"...)
		}
	}
	if body != nil || r.Method == http.MethodPost || r.Method == http.MethodPut || r.Method == http.MethodPatch {
		out = append(strconv.AppendInt(append(out, "Content-Length: "...), int64(len(body)), 10), "\r\n"...)
	}
	return append(append(out, "\r\n"...), body...)
}

func (c *Conn) read(in *bufio.Reader) (Answer, error) {
	response, err := http.ReadResponse(in, nil)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return Answer{}, errors.New("the connection was closed instead of an answer")
	}
	if err != nil {
		return Answer{}, err
	}
	defer response.Body.Close()
	if c.body == nil {
		c.body = make([]byte, 0, 4<<10)
	}
	body := c.body[:0]
	for {
		if len(body) == cap(body) {
			body = append(body, 0)[:len(body)]
		}
		n, err := response.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if err == io.EOF {
			break
		}
		if err != nil {
			return Answer{}, fmt.Errorf("read the answer: %w", err)
		}
	}
	c.body = body
	return Answer{Status: response.StatusCode, Header: response.Header, Body: body, closing: response.Close}, nil
}

// pool is raw connections to one front, as many as there are requests at once. The one that was used last is used first,
// so that no more are open than needed.
type pool struct {
	host   string
	within time.Duration
	mu     sync.Mutex
	idle   []*Conn
}

func (p *pool) send(ctx context.Context, r Request) (Answer, error) {
	conn := p.take()
	said, err := conn.Send(ctx, r)
	said.Body = bytes.Clone(said.Body) // the connection is another's from here on
	if conn.wire.Conn != nil {
		p.mu.Lock()
		p.idle = append(p.idle, conn)
		p.mu.Unlock()
	}
	return said, err
}

func (p *pool) take() *Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.idle) - 1
	if last < 0 {
		return newConn(p.host, p.within)
	}
	conn := p.idle[last]
	p.idle = p.idle[:last]
	return conn
}

func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range p.idle {
		conn.Close()
	}
	p.idle = nil
}

package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// answerWithin is how long an answer may take; a checkout that takes longer than 3 s breaks the contract.
const answerWithin = 10 * time.Second

// conn is a browser's one keep-alive connection. It writes and reads on the caller's goroutine and reuses its
// buffers: net/http's transport, with two goroutines per connection, took twice the CPU, which on the same
// machine is taken from the sides that are compared.
type conn struct {
	host   string
	net    net.Conn // nil while not connected
	in     *bufio.Reader
	forget func() bool // ends the watch that breaks it when ctx ends
	out    []byte
	body   []byte
	// Bytes that were written and read, HTTP's own included.
	sent, received int64
}

// Read counts what comes in.
func (c *conn) Read(into []byte) (int, error) {
	n, err := c.net.Read(into)
	c.received += int64(n)
	return n, err
}

// request is one request of the API.
type request struct {
	method string
	path   string // with the query
	token  string // of a session; empty: none
	key    string // idempotency key; empty: none
	body   []byte // JSON; nil: none
}

func (r *request) String() string { return r.method + " " + r.path }

// answer is what came back. The body is valid until the connection's next request.
type answer struct {
	status      int
	contentType string
	location    string
	body        []byte
}

func newConn(base string) (*conn, error) {
	location, err := url.Parse(base)
	if err != nil || location.Scheme != "http" || location.Host == "" {
		return nil, fmt.Errorf("%q is no address of a shop: it looks like http://127.0.0.1:8080", base)
	}
	return &conn{host: location.Host, body: make([]byte, 0, 64<<10)}, nil
}

// do sends a request and reads the whole answer. After an error the next request connects anew.
func (c *conn) do(ctx context.Context, r *request) (answer, error) {
	if err := c.connect(ctx); err != nil {
		return answer{}, err
	}
	// The end of ctx sets a deadline in the past (see connect); asked afterwards, ctx can't end unseen.
	_ = c.net.SetDeadline(time.Now().Add(answerWithin))
	if err := ctx.Err(); err != nil {
		return answer{}, err
	}
	c.out = r.append(c.out[:0], c.host)
	n, err := c.net.Write(c.out)
	c.sent += int64(n)
	var a answer
	if err == nil {
		a, err = c.read()
	}
	if err != nil {
		c.close()
		if ctx.Err() != nil {
			return answer{}, ctx.Err()
		}
		return answer{}, fmt.Errorf("%s: %w", r, err)
	}
	return a, nil
}

func (c *conn) connect(ctx context.Context) error {
	if c.net != nil {
		return nil
	}
	var dialer net.Dialer
	connection, err := dialer.DialContext(ctx, "tcp", c.host)
	if err != nil {
		return err
	}
	c.net = connection
	if c.in == nil {
		c.in = bufio.NewReaderSize(nil, 16<<10)
	}
	c.in.Reset(c)
	c.forget = context.AfterFunc(ctx, func() { _ = connection.SetDeadline(time.Unix(1, 0)) })
	return nil
}

func (c *conn) close() {
	if c.net != nil {
		c.forget()
		_ = c.net.Close()
		c.net = nil
	}
}

// append writes the request as HTTP/1.1 to a buffer.
func (r *request) append(out []byte, host string) []byte {
	out = append(out, r.method...)
	out = append(out, ' ')
	out = append(out, r.path...)
	out = append(out, " HTTP/1.1\r\nHost: "...)
	out = append(out, host...)
	out = append(out, "\r\nAccept: application/json"...)
	if r.token != "" {
		out = append(out, "\r\nAuthorization: Bearer "...)
		out = append(out, r.token...)
	}
	if r.key != "" {
		out = append(out, "\r\nIdempotency-Key: "...)
		out = append(out, r.key...)
	}
	if r.body != nil {
		out = append(out, "\r\nContent-Type: application/json\r\nContent-Length: "...)
		out = strconv.AppendInt(out, int64(len(r.body)), 10)
	}
	out = append(out, "\r\n\r\n"...)
	return append(out, r.body...)
}

func (c *conn) read() (answer, error) {
	response, err := http.ReadResponse(c.in, nil)
	if err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			return answer{}, errors.New("the connection was closed instead of an answer")
		}
		return answer{}, err
	}
	defer response.Body.Close()
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
			return answer{}, fmt.Errorf("read the answer: %w", err)
		}
	}
	c.body = body
	a := answer{
		status:      response.StatusCode,
		contentType: response.Header.Get("Content-Type"),
		location:    response.Header.Get("Location"),
		body:        body,
	}
	if response.Close || strings.EqualFold(response.Header.Get("Connection"), "close") {
		c.close()
	}
	return a, nil
}

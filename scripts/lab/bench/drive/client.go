package drive

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http/httputil"
	"net/url"
	"strconv"

	"banyan/scripts/lab/shop"
)

// Request is one request, ready to be sent.
type Request struct {
	raw  []byte
	want int
}

// Get is a GET that has to be answered with 200. Headers are given as "Name: value".
func Get(base, path string, headers ...string) (Request, error) {
	return New("GET", base, path, nil, 200, headers...)
}

// New is any request, with the status that it has to be answered with.
func New(method, base, path string, body []byte, want int, headers ...string) (Request, error) {
	location, err := url.Parse(base)
	if err != nil || location.Scheme != "http" || location.Host == "" {
		return Request{}, fmt.Errorf("%q is no address of a server: it looks like http://127.0.0.1:8080", base)
	}
	var raw bytes.Buffer
	fmt.Fprintf(&raw, "%s %s HTTP/1.1\r\nHost: %s\r\nAccept: application/json\r\n", method, path, location.Host)
	for _, header := range headers {
		raw.WriteString(header + "\r\n")
	}
	if body != nil {
		fmt.Fprintf(&raw, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	raw.WriteString("\r\n")
	raw.Write(body)
	return Request{raw: raw.Bytes(), want: want}, nil
}

// client is one connection of the lab's, whose answers it reads without keeping them.
type client struct{ conn *shop.Conn }

func newClient(base string) (*client, error) {
	conn, err := shop.NewConn(base)
	return &client{conn}, err
}

// do sends a request and reads the answer to its end.
func (c *client) do(ctx context.Context, r Request) error {
	return c.conn.Exchange(ctx, r.raw, func(in *bufio.Reader) error { return read(in, r) })
}

var (
	contentLength    = []byte("content-length:")
	transferEncoding = []byte("transfer-encoding:")
)

// read reads an answer. It understands what the servers here send: a length, or chunks.
func read(in *bufio.Reader, r Request) error {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return err
	}
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return fmt.Errorf("%q is no answer of HTTP/1.1", line)
	}
	status, err := strconv.Atoi(string(line[9:12]))
	if err != nil {
		return fmt.Errorf("%q has no status", line)
	}
	length, chunked := int64(-1), false
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
		if value, found := valueOf(line, contentLength); found {
			if length, err = strconv.ParseInt(string(value), 10, 64); err != nil {
				return fmt.Errorf("read the length of an answer: %w", err)
			}
		}
		if _, found := valueOf(line, transferEncoding); found {
			chunked = true
		}
	}
	if status != r.want {
		return refused(in, r, status, length, chunked)
	}
	switch {
	case chunked:
		return discardChunks(in)
	case length >= 0:
		_, err = io.CopyN(io.Discard, in, length)
		return err
	case status == 204:
		return nil
	}
	return errors.New("an answer has neither a length nor chunks")
}

// discardChunks reads to the end of the chunks, and the empty line after them.
func discardChunks(in *bufio.Reader) error {
	if _, err := io.Copy(io.Discard, httputil.NewChunkedReader(in)); err != nil {
		return err
	}
	_, err := in.ReadSlice('\n')
	return err
}

// refused is the error of another status, with the beginning of what the answer says. After an error the connection is
// closed, and the rest is not read.
func refused(in *bufio.Reader, r Request, status int, length int64, chunked bool) error {
	said := make([]byte, 300)
	var from io.Reader = io.LimitReader(in, max(length, 0))
	if chunked {
		from = httputil.NewChunkedReader(in)
	}
	n, _ := io.ReadFull(from, said)
	line, _, _ := bytes.Cut(r.raw, []byte("\r\n"))
	return fmt.Errorf("%s was answered with %d instead of %d: %s", line, status, r.want, said[:n])
}

// valueOf is the value of a header line, if it is that header.
func valueOf(line, name []byte) ([]byte, bool) {
	if len(line) < len(name) || !bytes.EqualFold(line[:len(name)], name) {
		return nil, false
	}
	return bytes.TrimSpace(line[len(name):]), true
}

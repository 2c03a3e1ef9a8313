package wire

import (
	"bytes"
	"slices"
	"strconv"
	"sync"
)

// keepBody is how long a body may be to be shown.
const keepBody = 64 << 10

// httpSession is what both directions of a connection know.
type httpSession struct {
	mu      sync.Mutex
	pending []httpRequest // without a final response
}

type httpRequest struct{ method, path string }

// part is where in a message a reader is.
type part int

const (
	startLine part = iota
	fieldLine
	fixedBody   // of a known length
	openBody    // up to the end of the stream
	chunkLine   // the size of a chunk
	chunkBody   // the chunk
	chunkEnd    // the line's end behind it
	trailerLine // fields behind the last chunk, or none
)

// httpReader reads one direction of a connection. It only finds where messages end; what it makes of them goes to
// the watcher, and never on.
type httpReader struct {
	session  *httpSession
	requests bool

	part    part
	lines   lines
	begun   bool // part of a message was read
	about   httpRequest
	status  int
	length  int64 // of the body, by its field; -1: none
	chunked bool
	rest    int64 // of the body or of the chunk
	body    []byte
	tooLong bool
}

func (r *httpReader) end() *Moment {
	r.session.mu.Lock()
	defer r.session.mu.Unlock()
	if r.part != openBody {
		return nil
	}
	return r.moment()
}

func (r *httpReader) next(b []byte, watched bool) (begin, end int, m *Moment, err error) {
	r.session.mu.Lock()
	defer r.session.mu.Unlock()
	for end < len(b) {
		if !r.begun {
			begin, r.begun = end, true
		}
		n, done, err := r.take(b[end:])
		end += n
		if err != nil {
			return 0, end, nil, err
		}
		if !done {
			continue
		}
		r.part, r.begun = startLine, false
		if final := r.requests || r.status >= 200; final && watched {
			return begin, end, r.moment(), nil
		}
	}
	return 0, end, nil, nil
}

func (r *httpReader) moment() *Moment {
	m := &Moment{Kind: Request, Method: r.about.method, Path: r.about.path}
	if !r.requests {
		m.Kind, m.Status = Response, r.status
	}
	if len(r.body) > 0 && !r.tooLong {
		m.Body = slices.Clone(r.body)
	}
	return m
}

// take reads a line, or what there is of a body. Done is the end of the message.
func (r *httpReader) take(b []byte) (n int, done bool, err error) {
	switch r.part {
	case openBody:
		r.keep(b)
		return len(b), false, nil
	case fixedBody, chunkBody:
		n = int(min(int64(len(b)), r.rest))
		r.keep(b[:n])
		r.rest -= int64(n)
		if r.rest > 0 {
			return n, false, nil
		}
		if r.part == fixedBody {
			return n, true, nil
		}
		r.part = chunkEnd
		return n, false, nil
	}
	line, n, whole, err := r.lines.next(b)
	if err == nil && whole {
		done, err = r.read(line)
	}
	return n, done, err
}

func (r *httpReader) keep(b []byte) {
	if len(r.body)+len(b) > keepBody {
		r.tooLong = true
	} else if !r.tooLong {
		r.body = append(r.body, b...)
	}
}

// read understands a line.
func (r *httpReader) read(line []byte) (done bool, err error) {
	switch r.part {
	case startLine:
		if len(line) == 0 && r.requests {
			r.begun = false // allowed before a request
			return false, nil
		}
		r.length, r.chunked, r.body, r.tooLong = -1, false, r.body[:0], false
		r.part = fieldLine
		if r.requests {
			return false, r.readRequest(line)
		}
		return false, r.readStatus(line)
	case fieldLine:
		if len(line) > 0 {
			return false, r.readField(line)
		}
		return r.headEnds()
	case chunkLine:
		digits, _, _ := bytes.Cut(line, []byte{';'})
		size, err := strconv.ParseUint(string(bytes.TrimSpace(digits)), 16, 62)
		if err != nil {
			return false, errUnread
		}
		r.part, r.rest = chunkBody, int64(size)
		if size == 0 {
			r.part = trailerLine
		}
	case chunkEnd:
		if len(line) > 0 {
			return false, errUnread
		}
		r.part = chunkLine
	case trailerLine:
		return len(line) == 0, nil
	}
	return false, nil
}

func (r *httpReader) readRequest(line []byte) error {
	method, rest, _ := bytes.Cut(line, []byte{' '})
	target, version, ok := bytes.Cut(rest, []byte{' '})
	if !ok || len(method) == 0 || len(target) == 0 || !bytes.HasPrefix(version, []byte("HTTP/1.")) ||
		len(r.session.pending) >= most {
		return errUnread
	}
	path, _, _ := bytes.Cut(target, []byte{'?'})
	r.about = httpRequest{string(method), string(path)}
	// Known before its body is through: the answer may not wait for that.
	r.session.pending = append(r.session.pending, r.about)
	return nil
}

func (r *httpReader) readStatus(line []byte) error {
	version, rest, ok := bytes.Cut(line, []byte{' '})
	code, _, _ := bytes.Cut(rest, []byte{' '})
	status, err := strconv.Atoi(string(code))
	if !ok || !bytes.HasPrefix(version, []byte("HTTP/1.")) || err != nil || status < 100 || status > 999 {
		return errUnread
	}
	r.status, r.about = status, httpRequest{}
	return nil
}

func (r *httpReader) readField(line []byte) error {
	key, value, ok := bytes.Cut(line, []byte{':'})
	if !ok {
		return errUnread
	}
	value = bytes.TrimSpace(value)
	switch {
	case bytes.EqualFold(key, []byte("Content-Length")):
		length, err := strconv.ParseUint(string(value), 10, 62)
		if err != nil || r.length >= 0 && r.length != int64(length) {
			return errUnread
		}
		r.length = int64(length)
	case bytes.EqualFold(key, []byte("Transfer-Encoding")):
		if !bytes.EqualFold(value, []byte("chunked")) {
			return errUnread
		}
		r.chunked = true
	}
	return nil
}

// headEnds decides how long the body is (RFC 9112, section 6.3).
func (r *httpReader) headEnds() (done bool, err error) {
	if !r.requests {
		if r.status == 101 {
			return false, errUnread // another protocol from here on
		}
		if r.status >= 200 && len(r.session.pending) > 0 {
			r.about = r.session.pending[0]
			r.session.pending = append(r.session.pending[:0], r.session.pending[1:]...)
		}
		if r.about.method == "CONNECT" && r.status/100 == 2 {
			return false, errUnread // a tunnel
		}
		if r.status < 200 || r.status == 204 || r.status == 304 || r.about.method == "HEAD" {
			return true, nil
		}
	}
	switch {
	case r.chunked:
		r.part = chunkLine
	case r.length > 0:
		r.part, r.rest = fixedBody, r.length
	case r.length < 0 && !r.requests:
		r.part = openBody
	default:
		return true, nil
	}
	return false, nil
}

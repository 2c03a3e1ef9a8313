package wire

import (
	"bytes"
	"encoding/binary"
)

// frame cuts a stream into PostgreSQL's messages: a type, a length, a body.
type frame struct {
	head [5]byte
	have int // bytes of the head
	rest int // bytes of the body that are still to come
	keep int // how many of its first are kept
	body []byte
}

// What is kept of a message: a statement's text up to a limit, and the names and tags at the beginning of others.
const (
	keepText = 64 << 10
	keepName = 1 << 10
)

func (f *frame) fresh() bool { return f.have == 0 }

func (f *frame) kind() byte { return f.head[0] }

// next takes a message's bytes from b. The first messages of a client have no type: theirs is 0 here.
func (f *frame) next(b []byte, untyped bool, keep func(kind byte) int) (n int, done bool, err error) {
	if f.have == 0 && untyped {
		f.head[0], f.have = 0, 1
	}
	if f.have < len(f.head) {
		n = copy(f.head[f.have:], b)
		f.have += n
		if f.have < len(f.head) {
			return n, false, nil
		}
		length := binary.BigEndian.Uint32(f.head[1:])
		if length < 4 || length > 1<<30 {
			return n, false, errUnread
		}
		f.rest = int(length) - 4
		f.keep = min(f.rest, keep(f.kind()))
		f.body = f.body[:0]
	}
	take := min(f.rest, len(b)-n)
	if more := min(take, f.keep-len(f.body)); more > 0 {
		f.body = append(f.body, b[n:n+more]...)
	}
	f.rest -= take
	if f.rest > 0 {
		return n + take, false, nil
	}
	f.have = 0
	return n + take, true, nil
}

// name takes a text that ends with a zero byte off a body.
func name(body []byte) (text, rest []byte) {
	text, rest, _ = bytes.Cut(body, []byte{0})
	return text, rest
}

// The codes in place of a version in a client's first message.
const (
	codeCancel  = 80877102
	codeTLS     = 80877103
	codeGSS     = 80877104
	codeVersion = 3 << 16 // and a minor version below
)

// postgresClient reads what a client sends.
type postgresClient struct {
	session  *postgresSession
	frame    frame
	starting bool // no startup message yet: messages have no type
}

func keepOfClient(kind byte) int {
	switch kind {
	case 'Q', 'P':
		return keepText
	case 0, 'B', 'E', 'C':
		return keepName
	}
	return 0
}

func (r *postgresClient) end() *Moment { return nil }

func (r *postgresClient) next(b []byte, watched bool) (begin, end int, m *Moment, err error) {
	r.session.mu.Lock()
	defer r.session.mu.Unlock()
	for end < len(b) {
		if r.frame.fresh() {
			begin = end
		}
		n, done, err := r.frame.next(b[end:], r.starting, keepOfClient)
		end += n
		if err != nil {
			return 0, end, nil, err
		}
		if !done {
			break
		}
		commits, err := r.message()
		if err != nil {
			return 0, end, nil, err
		}
		if commits != nil && watched {
			return begin, end, r.session.moment(Commit, commits), nil
		}
	}
	return 0, end, nil, nil
}

// message returns the exchange that this message makes a commit of, if it does.
func (r *postgresClient) message() (*exchange, error) {
	s, body := r.session, r.frame.body
	switch r.frame.kind() {
	case 0:
		return nil, r.start(body)
	case 'Q':
		text, _ := name(body)
		s.current.simple = true
		s.run(parseStatement(string(text)))
		return s.sync()
	case 'P':
		called, rest := name(body)
		text, _ := name(rest)
		return nil, s.prepare(string(called), string(text))
	case 'B':
		portal, rest := name(body)
		called, _ := name(rest)
		return nil, s.bind(string(portal), string(called))
	case 'E':
		portal, _ := name(body)
		return s.execute(string(portal)), nil
	case 'C':
		if len(body) > 0 {
			called, _ := name(body[1:])
			s.forget(body[0], string(called))
		}
	case 'S', 'F': // a function call has an exchange of its own
		return s.sync()
	}
	return nil, nil
}

// start reads a message before and up to the startup message.
func (r *postgresClient) start(body []byte) error {
	if len(body) < 4 {
		return errUnread
	}
	switch code := binary.BigEndian.Uint32(body); {
	case code == codeTLS || code == codeGSS:
		r.session.asked = true
	case code == codeCancel: // it is all that there is, and has no answer
	case code&^0xffff == codeVersion:
		r.starting = false
	default:
		return errUnread
	}
	return nil
}

// postgresServer reads what PostgreSQL answers.
type postgresServer struct {
	session *postgresSession
	frame   frame
}

func keepOfServer(kind byte) int {
	switch kind {
	case 'Z', 'C', 'S':
		return keepName
	}
	return 0
}

func (r *postgresServer) end() *Moment { return nil }

func (r *postgresServer) next(b []byte, watched bool) (begin, end int, m *Moment, err error) {
	r.session.mu.Lock()
	defer r.session.mu.Unlock()
	for end < len(b) {
		if r.frame.fresh() {
			begin = end
			if r.session.asked { // for encryption; the answer is one byte
				r.session.asked = false
				if b[end] != 'N' {
					return 0, end, nil, errUnread
				}
				end++
				continue
			}
		}
		n, done, err := r.frame.next(b[end:], false, keepOfServer)
		end += n
		if err != nil {
			return 0, end, nil, err
		}
		if !done {
			break
		}
		committed, err := r.message()
		if err != nil {
			return 0, end, nil, err
		}
		if committed != nil && watched {
			return begin, end, r.session.moment(Committed, committed), nil
		}
	}
	return 0, end, nil, nil
}

// message returns the exchange that this message says is committed, if it does.
func (r *postgresServer) message() (*exchange, error) {
	s, body := r.session, r.frame.body
	switch r.frame.kind() {
	case 'Z':
		if len(body) != 1 {
			return nil, errUnread
		}
		return s.ready(body[0])
	case 'E':
		s.head().failed = true
	case 'C':
		if tag, _ := name(body); string(tag) == "COMMIT" {
			s.head().tagged = true
		}
	case 'G':
		if !s.head().simple {
			return nil, errUnread // it would ignore each Sync while it copies, and lose count with us
		}
	case 'W':
		return nil, errUnread // replication
	case 'S':
		if parameter, rest := name(body); string(parameter) == "application_name" {
			value, _ := name(rest)
			s.application = string(value)
		}
	}
	return nil, nil
}

package wire

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"sync"
)

// What is kept of a NATS message: its headers, and the beginning of its payload, to which the word of an
// acknowledgement and JetStream's answer belong.
const (
	keepHeaders = 16 << 10
	keepPayload = 1 << 10
	mostPayload = 1 << 30
)

// ackPrefix begins the subjects to which consumers send their acknowledgements.
const ackPrefix = "$JS.ACK."

// natsSession is what both directions of a connection know.
type natsSession struct {
	mu          sync.Mutex
	application string
	published   recent // by the inbox that the answer comes to
	delivered   recent // by the subject of the acknowledgement
}

// about is the message that another one is about.
type about struct{ subject, id string }

// recent remembers the last ones: between most and twice most of them.
type recent struct{ young, old map[string]about }

func (r *recent) put(key string, a about) {
	if r.young == nil || len(r.young) >= most {
		r.young, r.old = map[string]about{}, r.young
	}
	r.young[key] = a
}

// take finds and forgets.
func (r *recent) take(key []byte) (about, bool) {
	for _, all := range []map[string]about{r.young, r.old} {
		if a, ok := all[string(key)]; ok {
			delete(all, string(key))
			return a, true
		}
	}
	return about{}, false
}

// natsReader reads one direction of a connection.
type natsReader struct {
	session *natsSession
	client  bool // reads what the client sends

	lines   lines
	line    []byte   // of the message whose payload comes; its fields are parts of it
	op      string   // PUB, HPUB, MSG or HMSG
	fields  [][]byte // between the operation and the sizes
	headers int      // size
	size    int      // with the headers
	rest    int      // of the payload and the line's end behind it; 0: a line comes
	kept    []byte
}

func (r *natsReader) end() *Moment { return nil }

func (r *natsReader) next(b []byte, watched bool) (begin, end int, m *Moment, err error) {
	r.session.mu.Lock()
	defer r.session.mu.Unlock()
	for end < len(b) {
		if r.rest == 0 {
			if r.lines.fresh() {
				begin = end
			}
			line, n, done, err := r.lines.next(b[end:])
			end += n
			if err == nil && done {
				err = r.read(line)
			}
			if err != nil {
				return 0, end, nil, err
			}
			continue
		}
		n, err := r.payload(b[end:])
		end += n
		if err != nil {
			return 0, end, nil, err
		}
		if r.rest == 0 && watched {
			if m := r.message(); m != nil {
				m.Application = r.session.application
				return begin, end, m, nil
			}
		}
	}
	return 0, end, nil, nil
}

// read understands a line. That of a message says how many bytes follow.
func (r *natsReader) read(line []byte) error {
	op, arguments, _ := bytes.Cut(line, []byte{' '})
	switch word := strings.ToUpper(string(op[:min(len(op), 8)])); {
	case r.client && (word == "PUB" || word == "HPUB"), !r.client && (word == "MSG" || word == "HMSG"):
		r.line = append(r.line[:0], arguments...)
		return r.announce(word)
	case r.client && word == "CONNECT":
		var options struct{ Name string }
		if json.Unmarshal(arguments, &options) == nil {
			r.session.application = options.Name
		}
	case r.client && (word == "SUB" || word == "UNSUB"), !r.client && (word == "INFO" || word == "-ERR"):
	case word == "PING" || word == "PONG" || word == "+OK":
	default:
		return errUnread
	}
	return nil
}

// announce reads the fields of a message: subject, a subscription's id if it comes from the server, maybe where to
// answer, the size of the headers if there are any, the whole size.
func (r *natsReader) announce(op string) error {
	r.op, r.headers, r.kept = op, 0, r.kept[:0]
	r.fields = r.fields[:0]
	for rest := r.line; ; {
		rest = bytes.TrimLeft(rest, " \t")
		if len(rest) == 0 {
			break
		}
		n := bytes.IndexAny(rest, " \t")
		if n < 0 {
			n = len(rest)
		}
		r.fields, rest = append(r.fields, rest[:n]), rest[n:]
	}
	least := 1
	if !r.client {
		least = 2
	}
	size, err := r.takeSize()
	if err == nil && op[0] == 'H' {
		r.headers, err = r.takeSize()
	}
	if err != nil || r.headers > size || len(r.fields) < least || len(r.fields) > least+1 {
		return errUnread
	}
	r.size, r.rest = size, size+len("\r\n")
	return nil
}

// takeSize takes the last field off.
func (r *natsReader) takeSize() (int, error) {
	last := len(r.fields) - 1
	if last < 0 {
		return 0, errUnread
	}
	size, err := strconv.ParseUint(string(r.fields[last]), 10, 32)
	if err != nil || size > mostPayload {
		return 0, errUnread
	}
	r.fields = r.fields[:last]
	return int(size), nil
}

// payload takes what it can of a payload and of the line's end.
func (r *natsReader) payload(b []byte) (n int, err error) {
	n = min(len(b), max(0, r.rest-2))
	keep := min(r.size, min(r.headers, keepHeaders)+keepPayload)
	if more := min(n, keep-len(r.kept)); more > 0 {
		r.kept = append(r.kept, b[:more]...)
	}
	r.rest -= n
	for n < len(b) && 0 < r.rest && r.rest <= 2 {
		if b[n] != "\n\r"[r.rest-1] {
			return n, errUnread
		}
		n++
		r.rest--
	}
	return n, nil
}

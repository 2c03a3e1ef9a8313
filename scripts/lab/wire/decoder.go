package wire

import (
	"bytes"
	"errors"
)

// errUnread is any reason why a connection is not understood. Which one it was changes nothing.
var errUnread = errors.New("not understood")

// decoder reads one direction of a connection as it passes, chunk by chunk, however the chunks may cut the messages.
type decoder interface {
	// next reads b up to the end of the first message of interest, which began at begin, or at 0 if it began in
	// an earlier chunk. If there is none, or if nothing is watched, it reads all of b and m is nil. After an error it
	// is not called again.
	next(b []byte, watched bool) (begin, end int, m *Moment, err error)
	// end is called after the last byte. It returns the message that ends with the stream, if one does.
	end() *Moment
}

// decode makes the decoders of a new connection.
func decode(protocol Protocol) (client, server decoder) {
	switch protocol {
	case Postgres:
		s := newPostgresSession()
		return &postgresClient{session: s, starting: true}, &postgresServer{session: s}
	case NATS:
		s := &natsSession{}
		return &natsReader{session: s, client: true}, &natsReader{session: s}
	case HTTP:
		s := &httpSession{}
		return &httpReader{session: s, requests: true}, &httpReader{session: s}
	default:
		return nil, nil
	}
}

// lines puts lines together that chunks have cut.
type lines struct {
	part []byte
	done bool // part was a whole line
}

// longest is how long a line may be: a CONNECT with a token, a cookie.
const longest = 64 << 10

// fresh reports whether the next byte begins a line.
func (l *lines) fresh() bool { return l.done || len(l.part) == 0 }

// next takes a line's bytes from b. The line comes without its end, and is valid until the next call.
func (l *lines) next(b []byte) (line []byte, n int, done bool, err error) {
	if l.done {
		l.part, l.done = l.part[:0], false
	}
	end := bytes.IndexByte(b, '\n')
	n = end + 1
	if end < 0 {
		n = len(b)
	}
	if len(l.part)+n > longest {
		return nil, n, false, errUnread
	}
	if end >= 0 && len(l.part) == 0 {
		return bytes.TrimSuffix(b[:end], []byte{'\r'}), n, true, nil // no need to copy it
	}
	l.part = append(l.part, b[:n]...)
	if end < 0 {
		return nil, n, false, nil
	}
	l.done = true
	return bytes.TrimSuffix(l.part[:len(l.part)-1], []byte{'\r'}), n, true, nil
}

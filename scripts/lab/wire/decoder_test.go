package wire

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// talk is what passes on one connection, in turns: the client's, the server's, the client's, and so on.
type talk []string

// play has new decoders read a talk, in pieces of at most size bytes, and tells the moments with how far the direction
// had come at each. The last word is unread if the decoders gave up.
func play(t testing.TB, protocol Protocol, turns talk, size int) (moments []string) {
	t.Helper()
	client, server := decode(protocol)
	decoders := [2]decoder{client, server}
	var far [2]int
	for i, turn := range turns {
		from := side(i % 2)
		for len(turn) > 0 {
			piece := turn[:min(size, len(turn))]
			begin, end, m, err := decoders[from].next([]byte(piece), true)
			if err != nil {
				return append(moments, "unread")
			}
			if end < 1 || end > len(piece) || begin < 0 || begin >= end && m != nil {
				t.Fatalf("%d to %d of %d bytes", begin, end, len(piece))
			}
			if m == nil && end < len(piece) {
				t.Fatalf("stopped at %d of %d bytes without a moment", end, len(piece))
			}
			far[from] += end
			if m != nil {
				moments = append(moments, fmt.Sprintf("%s %s %q %s %s %s %s %d %q at %d", m.Kind, m.Application, m.Statements,
					m.Subject, m.MessageID, m.Method, m.Path, m.Status, m.Body, far[from]))
			}
			turn = turn[end:]
		}
	}
	for _, d := range decoders {
		if m := d.end(); m != nil {
			moments = append(moments, "at the end: "+m.Kind.String())
		}
	}
	return moments
}

// fuzz checks that no input stops a decoder, and that how the chunks are cut makes no difference.
func fuzz(f *testing.F, protocol Protocol, seeds ...talk) {
	for _, seed := range seeds {
		f.Add(strings.Join(seed, turnEnds), 1)
		f.Add(strings.Join(seed, turnEnds), 7)
	}
	f.Fuzz(func(t *testing.T, text string, size int) {
		turns := talk(strings.Split(text, turnEnds))
		whole := play(t, protocol, turns, len(text)+1)
		pieces := play(t, protocol, turns, max(1, size))
		require.Equal(t, whole, pieces)
	})
}

const turnEnds = "<turn>"

// typed is a message of PostgreSQL; kind 0 has no type.
func typed(kind byte, body ...string) string {
	all := strings.Join(body, "")
	message := string(binary.BigEndian.AppendUint32(nil, uint32(len(all)+4))) + all
	if kind == 0 {
		return message
	}
	return string(kind) + message
}

const (
	ready   = "\x00\x00\x00\x05"
	idle    = "Z" + ready + "I"
	inside  = "Z" + ready + "T"
	aborted = "Z" + ready + "E"
)

var (
	login   = typed(0, "\x00\x03\x00\x00", "user\x00trunk\x00\x00")
	welcome = typed('R', "\x00\x00\x00\x00") + typed('S', "application_name\x00orders\x00") + idle
	syncs   = typed('S')
)

func execute(text string) string {
	return typed('P', "s\x00", text, "\x00\x00\x00") + typed('B', "\x00s\x00\x00\x00\x00\x00\x00\x00") + typed('E', "\x00\x00\x00\x00\x00")
}

var postgresTalks = map[string]struct {
	turns    talk
	expected []Kind
	unread   bool
}{
	"without encryption": {talk{typed(0, "\x04\xd2\x16\x2f"), "N", login, welcome, typed('Q', "insert into a\x00"), typed('C', "INSERT 0 1\x00") + idle},
		[]Kind{Commit, Committed}, false},
	"with it":           {talk{typed(0, "\x04\xd2\x16\x2f"), "S", "\x16\x03\x01", "\x16\x03\x01"}, nil, true},
	"a cancel request":  {talk{typed(0, "\x04\xd2\x16\x2e", "\x00\x00\x00\x01", "\x00\x00\x00\x02")}, nil, false},
	"in one breath":     {talk{login, welcome, typed('Q', "begin\x00") + typed('Q', "insert into a\x00") + typed('Q', "commit\x00"), typed('C', "BEGIN\x00") + inside + typed('C', "INSERT 0 1\x00") + inside + typed('C', "COMMIT\x00") + idle}, []Kind{Commit, Committed}, false},
	"in one text":       {talk{login, welcome, typed('Q', "begin; insert into a; commit\x00"), typed('C', "BEGIN\x00") + typed('C', "INSERT 0 1\x00") + typed('C', "COMMIT\x00") + idle}, []Kind{Commit, Committed}, false},
	"an implicit batch": {talk{login, welcome, execute("insert into a") + execute("select 1") + syncs, typed('C', "INSERT 0 1\x00") + typed('C', "SELECT 1\x00") + idle}, []Kind{Commit, Committed}, false},
	"the words in a pipeline": {talk{login, welcome, execute("begin") + execute("insert into a") + execute("commit") + syncs,
		typed('C', "BEGIN\x00") + typed('C', "INSERT 0 1\x00") + typed('C', "COMMIT\x00") + idle}, []Kind{Commit, Committed}, false},
	"only prepared": {talk{login, welcome, typed('P', "s\x00insert into a\x00\x00\x00") + typed('D', "Ss\x00") + syncs, typed('1') + idle}, nil, false},
	"a failure":     {talk{login, welcome, execute("insert into a") + syncs, typed('E', "SERROR\x00\x00") + idle}, []Kind{Commit}, false},
	"a failure that is known before the end": {talk{login, welcome, execute("insert into a") + typed('H'), typed('E', "SERROR\x00\x00"), syncs, idle},
		nil, false},
	"a commit in vain": {talk{login, welcome, typed('Q', "begin\x00"), inside, typed('Q', "insert into a\x00"), typed('E', "SERROR\x00\x00") + aborted, typed('Q', "commit\x00"), typed('C', "ROLLBACK\x00") + idle},
		nil, false},
	"a commit in vain that nobody could know": {talk{login, welcome, typed('Q', "begin\x00") + typed('Q', "insert into a\x00") + typed('Q', "commit\x00"),
		inside + typed('E', "SERROR\x00\x00") + aborted + typed('C', "ROLLBACK\x00") + idle}, []Kind{Commit}, false},
	"copy, extended": {talk{login, welcome, execute("copy a from stdin") + syncs, typed('G', "\x00\x00\x00")}, []Kind{Commit}, true},
	"replication":    {talk{login, welcome, typed('Q', "start_replication\x00"), typed('W', "\x00\x00\x00")}, []Kind{Commit}, true},
	"a length of 0":  {talk{login, welcome, "Q\x00\x00\x00\x00"}, nil, true},
}

func TestPostgresDecoder(t *testing.T) {
	for name, c := range postgresTalks {
		t.Run(name, func(t *testing.T) {
			for _, size := range []int{1, 2, 3, 5, 8, 1000} {
				moments := play(t, Postgres, c.turns, size)
				if c.unread {
					require.NotEmpty(t, moments)
					require.Equal(t, "unread", moments[len(moments)-1])
					moments = moments[:len(moments)-1]
				}
				require.Len(t, moments, len(c.expected), "%q", moments)
				for i, kind := range c.expected {
					require.True(t, strings.HasPrefix(moments[i], kind.String()+" "), "%q", moments)
				}
			}
		})
	}
}

func FuzzPostgres(f *testing.F) {
	var seeds []talk
	for _, c := range postgresTalks {
		seeds = append(seeds, c.turns)
	}
	fuzz(f, Postgres, seeds...)
}

func FuzzNATS(f *testing.F) {
	fuzz(f, NATS,
		talk{"", "INFO {}\r\n", "CONNECT {\"name\":\"orders\"}\r\nPING\r\n", "PONG\r\n",
			"HPUB events.a _INBOX.1 30 32\r\nNATS/1.0\r\nNats-Msg-Id: x\r\n\r\n{}\r\n",
			"MSG _INBOX.1 1 27\r\n{\"stream\":\"events\",\"seq\":12}\r\n"},
		talk{"SUB a 1\r\nPUB $JS.API.CONSUMER.MSG.NEXT.e.c _INBOX.2 1\r\n1\r\n",
			"HMSG events.a 1 $JS.ACK.e.c.1.2.3 24 26\r\nNATS/1.0\r\nce-id: y1\r\n\r\n{}\r\nMSG a 2 0\r\n\r\n",
			"PUB $JS.ACK.e.c.1.2.3 4\r\n+ACK\r\nPUB $JS.ACK.e.c.1.2.3 4\r\n-NAK\r\n"},
		talk{"pub a 3\nabc\r\n", "-ERR 'x'\r\n+OK\r\n", "PUB a 99999999999999999999\r\n"})
}

func FuzzHTTP(f *testing.F) {
	fuzz(f, HTTP,
		talk{"POST /charges?x HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\n\r\n",
			"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\nopen"},
		talk{"HEAD / HTTP/1.1\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nHTTP/1.1 304 Not Modified\r\n\r\n"},
		talk{"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"},
		talk{"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\n\r\n"})
}

func TestStatements(t *testing.T) {
	for text, expected := range map[string][]step{
		"":                             nil,
		" -- insert\n /* a /* b */ */": nil,
		"BEGIN ISOLATION LEVEL SERIALIZABLE; Commit ;": {begins, commits},
		"rollback to savepoint a":                      {reads},
		"rollback":                                     {aborts},
		"select * from a for no key update":            {reads},
		"select * from a for update skip locked":       {reads},
		"with b as (update a set c = 1) select 1":      {writes},
		"select $1, 'it''s; insert', E'\\'; delete', \"update\", $x$; merge $x$ from a": {reads},
		"update outbox set stream_seq = $1":                                             {writes},
		"copy a to stdout":                                                              {reads},
		"copy a (b) from stdin binary":                                                  {writes},
		"listen outbox_orders":                                                          {reads},
		"do $$ begin commit; end $$":                                                    {writes},
		"select 'open":                                                                  {reads},
	} {
		require.Equal(t, expected, parseStatement(text).steps, text)
	}
}

func FuzzStatement(f *testing.F) {
	f.Add("with b as (update a set c = E'\\'' || $a$b$a$) /* c */ select \"d\" -- e\n; commit")
	f.Fuzz(func(t *testing.T, text string) {
		st := parseStatement(text)
		require.LessOrEqual(t, len(st.steps), len(text))
	})
}

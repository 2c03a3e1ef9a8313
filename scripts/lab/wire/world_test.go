package wire_test

import (
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"banyan/scripts/lab/wire"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/jackc/pgx/v5/pgxpool.(*Pool).backgroundHealthCheck"))
}

// listen starts a proxy that is closed when the test ends.
func listen(t testing.TB, target string, protocol wire.Protocol) *wire.Proxy {
	t.Helper()
	p, err := wire.Listen(target, protocol)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	return p
}

// before puts a proxy before the server of an address, and returns the address by way of it.
func before(t testing.TB, address string, protocol wire.Protocol) (*wire.Proxy, string) {
	t.Helper()
	at, err := url.Parse(address)
	require.NoError(t, err)
	p := listen(t, at.Host, protocol)
	at.Host = p.Addr()
	return p, at.String()
}

// record is what a watcher has seen.
type record struct {
	mu   sync.Mutex
	seen []wire.Moment
}

// watch records all moments of a proxy. More than that is done by then, if given.
func watch(p *wire.Proxy, then func(wire.Moment)) *record {
	r := &record{}
	p.Watch(func(m wire.Moment) {
		r.mu.Lock()
		r.seen = append(r.seen, m)
		r.mu.Unlock()
		if then != nil {
			then(m)
		}
	})
	return r
}

// take returns the moments up to now, and forgets them.
func (r *record) take() []wire.Moment {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := r.seen
	r.seen = nil
	return seen
}

// tale is a list of moments in words, such as "before commit: insert …".
func tale(moments []wire.Moment) []string {
	var words []string
	for _, m := range moments {
		word := m.Phase.String() + " " + m.Kind.String()
		switch m.Kind {
		case wire.Commit, wire.Committed:
			word += ": " + strings.Join(m.Statements, "; ")
		case wire.Request:
			word += ": " + m.Method + " " + m.Path
		case wire.Response:
			word += ": " + m.Method + " " + m.Path + " " + strconv.Itoa(m.Status)
		default:
			word += ": " + m.Subject + " " + m.MessageID
		}
		words = append(words, word)
	}
	return words
}

// both are the two phases of some moments that follow one another.
func both(words ...string) []string {
	var all []string
	for _, word := range words {
		all = append(all, "before "+word, "after "+word)
	}
	return all
}

// eventually waits for as many moments as it names.
func (r *record) eventually(t testing.TB, words ...string) []wire.Moment {
	t.Helper()
	require.Eventually(t, func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(r.seen) >= len(words)
	}, 5*time.Second, time.Millisecond, "expected %q", words)
	seen := r.take()
	require.Equal(t, words, tale(seen))
	return seen
}

// unordered are the moments' words, sorted.
func unordered(moments []wire.Moment) []string { return slices.Sorted(slices.Values(tale(moments))) }

// serveTCP runs a server that does the same with each connection.
func serveTCP(t testing.TB, serve func(*net.TCPConn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer conn.Close()
				serve(conn.(*net.TCPConn))
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		running.Wait()
	})
	return listener.Addr().String()
}

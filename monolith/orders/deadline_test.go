package orders

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"banyan/internal/postgres"
	"banyan/internal/web"
)

// inTime is the contract's time for an answer, and what a busy machine adds.
const inTime = 3*time.Second + 700*time.Millisecond

// holdAll takes every connection of the shop's pool until it is let go.
func (s shop) holdAll() (letGo func()) {
	s.t.Helper()
	var held []*pgxpool.Conn
	for range s.pool.Config().MaxConns {
		conn, err := s.pool.Acquire(s.t.Context())
		require.NoError(s.t, err)
		held = append(held, conn)
	}
	return func() {
		for _, conn := range held {
			conn.Release()
		}
	}
}

func TestWithoutAConnection(t *testing.T) {
	t.Parallel()

	t.Run("a checkout is 503 in time, and nothing was written", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, b, key := s.customer(), s.book("Emma", 1000, 5), newKey()
		full := ada.puts(2, b)
		letGo := s.holdAll()
		began := time.Now()
		r := ada.pays("tok_visa", key)
		require.Less(t, time.Since(began), inTime)
		letGo()
		r.refused(503, "unavailable")
		require.NotEmpty(t, r.header.Get("Retry-After"))
		require.Zero(t, s.count(`select count(*) from orders`))
		require.Zero(t, s.count(`select count(*) from idempotency_keys`))
		require.Equal(t, full, ada.cart())
		ada.pays("tok_visa", key).is(201)
	})
	t.Run("nothing is bought for a client that gave up while it waited", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, b, key := s.customer(), s.book("Emma", 1000, 5), newKey()
		ada.puts(2, b)
		letGo := s.holdAll()
		ctx, giveUp := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer giveUp()
		s.answer(ada.checkout("tok_visa", key).WithContext(ctx)).is(503)
		letGo()
		require.Zero(t, s.count(`select count(*) from orders`))
		ended, end := context.WithCancel(t.Context())
		end()
		s.answer(ada.checkout("tok_visa", key).WithContext(ended)).is(503)
		require.Zero(t, s.count(`select count(*) from orders`))
	})
	t.Run("a cancellation is 503 in time", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		ada, b := s.customer(), s.book("Emma", 1000, 5)
		id := ada.bought(1, b)
		letGo := s.holdAll()
		began := time.Now()
		r := ada.cancels(id)
		require.Less(t, time.Since(began), inTime)
		letGo()
		r.is(503)
		ada.became(id, Paid, "")
	})
}

// TestLostCommit cuts the connection, or lets it hang, when the database has the
// statements and before it answers.
func TestLostCommit(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		statement string
		hangs     bool
	}{
		"of the order that is placed":             {"insert into orders", false},
		"of the order that is placed, in silence": {"insert into orders", true},
		"of what became of it":                    {"update idempotency_keys", false},
		"of what became of it, in silence":        {"update idempotency_keys", true},
	} {
		t.Run(name+" is 503, and the same key tells the outcome", func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			ada, b, key := s.customer(), s.book("Emma", 1000, 5), newKey()
			w := newLine(t, s.pool.Config().ConnString())
			s.http = w.shop(s)
			ada.shop = s
			ada.puts(1, b)
			ada.pays("tok_visa", newKey()).is(201) // the connection knows the statements now
			ada.puts(2, b)

			w.cut(test.statement, test.hangs)
			began := time.Now()
			r := ada.pays("tok_visa", key)
			require.Less(t, time.Since(began), inTime)
			r.refused(503, "unavailable")
			require.NotEmpty(t, r.header.Get("Retry-After"))
			w.mend()

			s.soon(func() bool { return s.count(`select count(*) from orders`) == 2 })
			s.leasesEnd()
			var told reply // as soon as a connection can be had that is not in silence
			s.soon(func() bool { told = ada.pays("tok_visa", key); return told.status != 503 })
			require.Contains(t, []int{201, 202}, told.status, told.body)
			s.sweeps()
			told.same(ada.pays("tok_visa", key))
			ada.became(told.order().ID, Paid, "")
			require.Len(t, ada.orders(), 2, "it is bought once")
			require.Equal(t, 2, s.copies(b))
		})
	}
}

// line lies between a shop and its database.
type line struct {
	t       *testing.T
	address string
	armed   atomic.Pointer[string] // the statement after which nothing is heard any more
	hangs   atomic.Bool
	silent  chan struct{} // closed when the test is over
}

func newLine(t *testing.T, server string) *line {
	u, err := url.Parse(server)
	require.NoError(t, err)
	host := u.Host
	end, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l := &line{t: t, silent: make(chan struct{})}
	t.Cleanup(func() { _ = end.Close() })
	go func() {
		for {
			near, err := end.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", host)
			if err != nil {
				_ = near.Close()
				continue
			}
			go l.carry(near, far)
		}
	}()
	u.Host = end.Addr().String()
	q := u.Query()
	q.Set("default_query_exec_mode", "cache_describe") // so that each statement is seen with its text
	u.RawQuery = q.Encode()
	l.address = u.String()
	return l
}

// execute is PostgreSQL's message of this name, for all rows of the unnamed portal. A
// statement comes by without it while pgx asks what its parameters are.
const execute = "E\x00\x00\x00\x09\x00\x00\x00\x00\x00"

// carry passes everything on, until the statement is executed.
func (l *line) carry(near, far net.Conn) {
	var deaf atomic.Bool
	go func() {
		buffer := make([]byte, 64<<10)
		for {
			n, err := far.Read(buffer)
			if deaf.Load() {
				return
			}
			if err != nil {
				_ = near.Close() // as pgx waits for when it has asked for a cancellation
				return
			}
			_, _ = near.Write(buffer[:n])
		}
	}()
	buffer, seen := make([]byte, 256<<10), false
	for !deaf.Load() {
		n, err := near.Read(buffer)
		if err != nil {
			break
		}
		if s := l.armed.Load(); s != nil {
			seen = seen || bytes.Contains(buffer[:n], []byte(*s))
			deaf.Store(seen && bytes.Contains(buffer[:n], []byte(execute)))
		}
		_, _ = far.Write(buffer[:n])
	}
	if deaf.Load() {
		go func() { _, _ = io.Copy(far, near) }() // the rest of the batch arrives
		if l.hangs.Load() {
			<-l.silent
		}
		time.Sleep(300 * time.Millisecond) // the server has done it
	}
	_ = near.Close()
	_ = far.Close()
}

func (l *line) cut(after string, hangs bool) {
	l.hangs.Store(hangs)
	l.armed.Store(&after)
}

func (l *line) mend() { l.armed.Store(nil) }

// shop is the same shop, at the other end of the line.
func (l *line) shop(s shop) http.Handler {
	l.t.Helper()
	pool, err := postgres.Open(l.t.Context(), l.address, postgres.Options{MaxConns: 4}) // of which silence takes one or two
	require.NoError(l.t, err)
	l.t.Cleanup(pool.Close)
	l.t.Cleanup(func() { close(l.silent) })
	e := web.New(web.Options{Log: quiet})
	Register(e.Group(""), l.service(pool, s), web.SignedIn(byHeader))
	return e
}

func (l *line) service(pool *pgxpool.Pool, s shop) *Service {
	return New(pool, func() {}, Near{
		Stock: s.shelf, Payments: s.cashier, Recovery: s.cashier, Refunds: s.cashier, Shipments: s.depot, Mail: s.post,
	}, Far{}, sweepAfter)
}

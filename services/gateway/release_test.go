package main

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/internal/web"
)

// crowd is a gate without a network, and who waits there.
type crowd struct {
	*gate
	guests  sync.WaitGroup
	inside  atomic.Int64
	refused atomic.Int64

	mu    sync.Mutex
	most  int64 // that were ever inside at once
	order []string
}

// newCrowd makes a gate behind which an answer takes so long.
func newCrowd(t *testing.T, door *web.Door, takes func(path string) time.Duration) *crowd {
	g := &gateway{clients: newClients(rateLimit{}), door: door}
	parsed, err := parseTable([]byte(`{"routes": [
		{"prefix": "/v1/things", "upstreams": ["http://x"], "token": "pass"}, {"prefix": "/v1/orders", "upstreams": ["http://x"], "token": "pass"}]}`), nil)
	require.NoError(t, err)
	g.table.Store(parsed)
	g.clients.limit.rate = 1e9
	g.clients.limit.burst = 1e9
	c := &crowd{gate: newGate(&g.table, g.clients, door)}
	c.reserved = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		now := c.inside.Add(1)
		defer c.inside.Add(-1)
		c.mu.Lock()
		c.most = max(c.most, now)
		c.order = append(c.order, r.URL.RawQuery)
		c.mu.Unlock()
		time.Sleep(takes(r.URL.Path))
	})
	c.guarded = door.Guard(c.reserved)
	return c
}

// come lets so many come, one after the other, numbered.
func (c *crowd) come(path string, n int) {
	for i := range n {
		c.guests.Go(func() {
			w := httptest.NewRecorder()
			c.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path+"?"+strconv.Itoa(i), nil))
			if w.Code != http.StatusOK {
				c.refused.Add(1)
			}
		})
		synctest.Wait()
	}
}

func TestRelease(t *testing.T) {
	t.Parallel()
	brief := func(string) time.Duration { return 10 * time.Millisecond }
	t.Run("lets those go first that came first, and no more at once than a new process lets in", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCrowd(t, nil, brief)
			require.NoError(t, c.hold([]string{"/v1/things", "/v1/orders"}, time.Second))
			c.come("/v1/things", 300)
			time.Sleep(2 * time.Second) // it lets go by itself
			c.guests.Wait()
			require.EqualValues(t, letGoAtOnce*3/4, c.most, "one route leaves room for the others")
			require.Len(t, c.order, 300)
			for i, n := range c.order {
				number, err := strconv.Atoi(n)
				require.NoError(t, err)
				require.InDelta(t, i, number, letGoAtOnce, "those that are let go together may overtake each other")
			}
		})
	})
	t.Run("those that come meanwhile wait behind the others, until nobody waits", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCrowd(t, nil, brief)
			require.NoError(t, c.hold([]string{"/v1/things"}, time.Second))
			c.come("/v1/things", 200)
			go c.end(t.Context())
			synctest.Wait()
			c.come("/v1/things", 1)
			require.Equal(t, 1+200-letGoAtOnce*3/4, c.state().Routes[0].Waiting)
			c.guests.Wait()
			synctest.Wait()
			require.Zero(t, c.waiting)
			require.False(t, c.table.Load().match("/v1/things").lanes.of(http.MethodGet).shut.Load())
		})
	})
	t.Run("a route that is slow does not keep the others", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCrowd(t, nil, func(path string) time.Duration {
				if path == "/v1/orders" {
					return 3 * time.Second
				}
				return time.Millisecond
			})
			require.NoError(t, c.hold([]string{"/v1/things", "/v1/orders"}, time.Second))
			c.come("/v1/orders", 100)
			c.come("/v1/things", 100)
			go c.end(t.Context())
			time.Sleep(200 * time.Millisecond)
			require.Zero(t, c.state().Routes[0].Waiting)
			require.Equal(t, 100-letGoAtOnce*3/4, c.state().Routes[1].Waiting)
			c.guests.Wait()
		})
	})
	t.Run("a door that has no room refuses nobody who was held", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			door := web.NewDoor(16, "/v1/things")
			c := newCrowd(t, door, brief)
			var others []func()
			for range 12 {
				leave, ok := door.Reserve("/v1/things")
				require.True(t, ok)
				others = append(others, leave)
			}
			require.NoError(t, c.hold([]string{"/v1/things"}, 10*time.Second))
			c.come("/v1/things", 100)
			go c.end(t.Context())
			time.Sleep(100 * time.Millisecond)
			require.Equal(t, 100, c.state().Routes[0].Waiting, "three quarters of the door are taken")
			for _, leave := range others {
				leave()
			}
			c.guests.Wait()
			require.Zero(t, c.refused.Load())
			require.EqualValues(t, 12, c.most)
		})
	})
	t.Run("after a while the door decides, as at any other time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			door := web.NewDoor(16, "/v1/things")
			c := newCrowd(t, door, brief)
			for range 12 {
				_, ok := door.Reserve("/v1/things")
				require.True(t, ok)
			}
			require.NoError(t, c.hold([]string{"/v1/things"}, 10*time.Second))
			c.come("/v1/things", 100)
			go c.end(t.Context())
			time.Sleep(queueTime - 10*time.Millisecond)
			c.come("/v1/things", 1)
			require.Zero(t, c.refused.Load())
			time.Sleep(20 * time.Millisecond)
			c.come("/v1/things", 1)
			require.EqualValues(t, 1, c.refused.Load(), "first for those that come now")
			c.guests.Wait()
			require.EqualValues(t, 102, c.refused.Load())
			require.Equal(t, 101, c.state().Routes[0].Failed)
			require.InDelta(t, releaseTime.Seconds()*1000, c.state().Routes[0].Longest, 100)
		})
	})
	t.Run("a new hold keeps those that were not let go yet", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCrowd(t, nil, func(string) time.Duration { return time.Second })
			require.NoError(t, c.hold([]string{"/v1/things"}, time.Second))
			c.come("/v1/things", 100)
			go c.end(t.Context())
			synctest.Wait()
			require.NoError(t, c.hold([]string{"/v1/things"}, 10*time.Second))
			time.Sleep(5 * time.Second)
			waiting := c.state().Routes[0].Waiting
			require.Equal(t, 100-letGoAtOnce*3/4, waiting)
			require.Equal(t, 100, c.state().Routes[0].Held, "the totals go on")
			c.end(t.Context())
			c.guests.Wait()
			require.NoError(t, c.hold([]string{"/v1/orders"}, time.Second))
			require.Len(t, c.state().Routes, 1, "and begin anew with the next")
			c.end(t.Context())
		})
	})
	t.Run("ends by itself, each time that there is a hold, and by the time of the last request for one", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCrowd(t, nil, brief)
			for range 2 {
				require.NoError(t, c.hold([]string{"/v1/things"}, time.Second))
				time.Sleep(500 * time.Millisecond)
				require.NoError(t, c.hold([]string{"/v1/things"}, 2*time.Second))
				began := time.Now()
				c.come("/v1/things", 1)
				c.guests.Wait()
				require.InDelta(t, 2, time.Since(began).Seconds(), .1)
				synctest.Wait()
			}
		})
	})
	t.Run("time for which the process stood still is not counted", func(t *testing.T) {
		t.Parallel()
		now := time.Now()
		r := newRelease(now)
		r.look(now.Add(time.Minute))
		require.Equal(t, mostBetween, r.spent)
	})
}

// TestLane shuts a lane while many enter it, again and again.
func TestLane(t *testing.T) {
	t.Parallel()
	var l lane
	var empty, over atomic.Bool
	var wrong atomic.Int64
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for !over.Load() {
				if l.enter() {
					if empty.Load() {
						wrong.Add(1)
					}
					l.underWay.Add(-1)
				}
			}
		})
	}
	for end := time.Now().Add(300 * time.Millisecond); time.Now().Before(end); {
		l.shut.Store(true)
		for l.underWay.Load() > 0 {
			runtime.Gosched()
		}
		empty.Store(true)
		time.Sleep(50 * time.Microsecond)
		empty.Store(false)
		l.shut.Store(false)
		time.Sleep(50 * time.Microsecond)
	}
	over.Store(true)
	all.Wait()
	require.Zero(t, wrong.Load(), "somebody came in after nobody was under way")
}

package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"banyan/internal/web"
)

// house is a server with a door of 64, whose guests stay until they are let go.
type house struct {
	t       *testing.T
	server  http.Handler
	door    *web.Door
	leave   chan struct{}
	refused atomic.Int64
	served  atomic.Int64
	guests  sync.WaitGroup
}

func newHouse(t *testing.T) *house {
	h := &house{t: t, door: web.NewDoor(64, "/v1/books", "/v1/orders"), leave: make(chan struct{})}
	e := web.New(web.Options{Log: quiet, Timeout: time.Hour})
	stay := func(c echo.Context) error {
		<-h.leave
		return c.NoContent(http.StatusNoContent)
	}
	e.GET("/v1/books/:id", stay)
	e.GET("/v1/orders", stay)
	e.GET("/other", stay)
	h.server = h.door.Guard(e)
	return h
}

// come sends so many at once, and waits until each is inside or was refused.
func (h *house) come(guests int, path string) (refused int64) {
	before := h.refused.Load()
	for range guests {
		h.guests.Go(func() {
			w := httptest.NewRecorder()
			h.server.ServeHTTP(w, get(path))
			if w.Code == http.StatusNoContent {
				h.served.Add(1)
				return
			}
			h.refused.Add(1)
			if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "1" || w.Header().Get("Content-Type") != web.ContentTypeProblem ||
				w.Body.String() != `{"type":"urn:banyan:problem:unavailable","title":"Unavailable","status":503,"detail":"More is being asked of us than we can do. Please try again in a moment."}` {
				h.t.Errorf("a refusal was %d %v %s", w.Code, w.Header(), w.Body)
			}
		})
	}
	synctest.Wait()
	return h.refused.Load() - before
}

func (h *house) letGo(guests int) {
	for range guests {
		h.leave <- struct{}{}
	}
	synctest.Wait()
}

func TestDoor(t *testing.T) {
	t.Parallel()
	t.Run("lets a crowd in, and few from when it was too many until it is quiet", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(t)
			require.Zero(t, h.come(48, "/v1/books/1"), "three quarters of the house for one area")
			require.EqualValues(t, 10, h.come(10, "/v1/books/1"))
			h.letGo(30)
			require.EqualValues(t, 1, h.come(1, "/v1/books/1"), "18 inside are more than few")
			h.letGo(11)
			require.Zero(t, h.come(1, "/v1/books/1"))
			require.EqualValues(t, 1, h.come(1, "/v1/books/1"), "8 are few, 9 are not")
			time.Sleep(2 * time.Second)
			require.Zero(t, h.come(40, "/v1/books/1"), "in quiet times, the crowd is let in again")
			h.letGo(48)
			h.guests.Wait()
			require.EqualValues(t, 89, h.served.Load())
		})
	})
	t.Run("an area that is slow leaves room for the others", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(t)
			require.EqualValues(t, 152, h.come(200, "/v1/orders"))
			require.Zero(t, h.come(16, "/v1/books/1"), "as many as the house holds")
			require.EqualValues(t, 5, h.come(5, "/v1/books/1"))
			h.letGo(16 + 48)
			h.guests.Wait()

			require.EqualValues(t, 92, h.come(100, "/v1/orders"), "too many were here a moment ago, so now there are 8")
			require.EqualValues(t, 1, h.come(1, "/other"), "and nobody is preferred: what is asked for most is served most")
			h.letGo(8)
			h.guests.Wait()
		})
	})
	t.Run("counts by area, whatever clients ask for", func(t *testing.T) {
		t.Parallel()
		door := web.NewDoor(64, "/v1/books")
		e := web.New(web.Options{Log: quiet})
		for n := range 10 {
			door.Guard(e).ServeHTTP(httptest.NewRecorder(), get(fmt.Sprintf("/v1/made-up-%d", n)))
		}
		registry := prometheus.NewPedanticRegistry()
		registry.MustRegister(door)
		count, err := testutil.GatherAndCount(registry)
		require.NoError(t, err)
		require.Equal(t, 6, count, "two areas, two figures each, and two limits")
	})
	t.Run("a place is reserved where there is room, and asking overruns nothing", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(t)
			require.Zero(t, h.come(40, "/v1/books/1"))
			var places []func()
			for range 8 {
				leave, ok := h.door.Reserve("/v1/books/1")
				require.True(t, ok)
				places = append(places, leave)
			}
			for range 3 {
				_, ok := h.door.Reserve("/v1/books/1")
				require.False(t, ok, "48 are inside, three quarters of the house")
			}
			require.Zero(t, h.come(8, "/v1/orders"), "nobody was refused, so the crowd is let in")
			for _, leave := range places {
				leave()
			}
			require.Zero(t, h.come(8, "/v1/books/1"), "the places are free again")
			h.letGo(56)
			h.guests.Wait()
		})
	})
	t.Run("is divided anew, and counts who is inside where they came in", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(t)
			require.Zero(t, h.come(48, "/v1/books/1"))
			require.Zero(t, h.come(10, "/v1/orders"))
			h.door.Divide("/v1/books", "/other")
			require.EqualValues(t, 1, h.come(1, "/v1/books/1"), "an area that stays keeps its guests")
			time.Sleep(2 * time.Second)
			require.Zero(t, h.come(6, "/other"), "as many as the house holds, with those of the area that is gone")
			require.EqualValues(t, 1, h.come(1, "/other"))
			h.letGo(64)
			h.guests.Wait()
			time.Sleep(2 * time.Second)
			require.Zero(t, h.come(48, "/other"), "all have left")
			h.letGo(48)
			h.guests.Wait()
		})
	})
	t.Run("without a limit there is no door", func(t *testing.T) {
		t.Parallel()
		require.Nil(t, web.NewDoor(0))
		var door *web.Door
		door.Divide("/v1/books")
		leave, ok := door.Reserve("/v1/books")
		require.True(t, ok)
		leave()
	})
}

func BenchmarkRefusal(b *testing.B) {
	door := web.NewDoor(1, "/v1/orders")
	release := make(chan struct{})
	e := web.New(web.Options{Log: quiet})
	e.POST("/v1/orders", func(c echo.Context) error { <-release; return nil })
	server := door.Guard(e)
	for range 2 { // one is inside, and the other refused
		go server.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/v1/orders", nil))
	}
	time.Sleep(50 * time.Millisecond)
	defer close(release)
	r := httptest.NewRequest(http.MethodPost, "/v1/orders", nil)
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		if w.Code != http.StatusServiceUnavailable {
			b.Fatal(w.Code)
		}
	}
}

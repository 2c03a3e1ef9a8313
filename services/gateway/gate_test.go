package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/internal/web"
)

// TestHoldLosesNobody shuts and opens the gate under load. When nobody is under way, nobody reaches the upstream until
// the gate is opened again.
func TestHoldLosesNobody(t *testing.T) {
	t.Parallel()
	var inside, reached atomic.Int64
	upstream := upstreamServer(t, func(http.ResponseWriter, *http.Request) {
		inside.Add(1)
		defer inside.Add(-1)
		reached.Add(1)
		time.Sleep(time.Millisecond)
	})
	server, g := setup{routes: passing("/v1/things", upstream.URL)}.start(t)
	ops := operate(t, g)
	var answered atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	var customers sync.WaitGroup
	for range 16 {
		customers.Go(func() {
			for ctx.Err() == nil {
				res, err := http.Get(server.URL + "/v1/things")
				if err != nil {
					t.Error(err)
					return
				}
				res.Body.Close()
				if res.StatusCode != http.StatusOK {
					t.Error(res.Status)
					return
				}
				answered.Add(1)
			}
		})
	}
	for range 10 {
		_, err := ops.Hold(t.Context(), []string{"/v1/things"}, 5*time.Second)
		require.NoError(t, err)
		require.Eventually(t, func() bool {
			held, err := ops.Held(t.Context())
			return err == nil && held.UnderWay() == 0
		}, 5*time.Second, time.Millisecond)
		before := reached.Load()
		require.Zero(t, inside.Load())
		waits(t, ops, 16)
		require.Equal(t, before, reached.Load())
		_, err = ops.LetGo(t.Context())
		require.NoError(t, err)
		require.Eventually(t, func() bool { return reached.Load() > before+16 }, 5*time.Second, time.Millisecond)
	}
	stop()
	customers.Wait()
	require.Equal(t, reached.Load(), answered.Load())
}

// TestBurst holds a crowd that neither the gateway's door nor that of a process just started would let in.
func TestBurst(t *testing.T) {
	t.Parallel()
	const crowd = 2000
	processors := make(chan struct{}, 4)
	upstream := httptest.NewServer(web.NewDoor(320, "/v1/things", "/v1/shelves").Guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		processors <- struct{}{}
		time.Sleep(time.Millisecond)
		<-processors
		_, _ = io.Copy(w, r.Body)
	})))
	t.Cleanup(upstream.Close)
	server, g := setup{routes: append(passing("/v1/things", upstream.URL), passing("/v1/shelves", upstream.URL)...), most: 2048}.start(t)
	ops := operate(t, g)
	_, err := ops.Hold(t.Context(), []string{"/v1/things", "/v1/shelves"}, 10*time.Second)
	require.NoError(t, err)

	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: crowd}}
	defer client.CloseIdleConnections()
	statuses := make(chan string, 2*crowd)
	var customers sync.WaitGroup
	come := func(n int) {
		customers.Go(func() {
			path := "/v1/things"
			if n%3 == 0 {
				path = "/v1/shelves"
			}
			res, err := client.Post(server.URL+path, "text/plain", strings.NewReader("an order"))
			if err != nil {
				statuses <- err.Error()
				return
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			statuses <- fmt.Sprint(res.StatusCode, string(body), err)
		})
	}
	for n := range crowd {
		come(n)
	}
	waits(t, ops, crowd)
	var letGo sync.WaitGroup
	letGo.Go(func() {
		held, err := ops.LetGo(t.Context())
		if err != nil || held.Waiting() > 0 {
			t.Error(held, err)
		}
	})
	for n := range 200 { // while the others are let go
		come(n)
		time.Sleep(time.Millisecond)
	}
	customers.Wait()
	letGo.Wait()
	close(statuses)
	for status := range statuses {
		require.Equal(t, "200an order<nil>", status)
	}
	held, err := ops.Held(t.Context())
	require.NoError(t, err)
	require.GreaterOrEqual(t, held.Routes[0].Held+held.Routes[1].Held, crowd)
	require.Zero(t, held.Routes[0].Failed+held.Routes[1].Failed)
}

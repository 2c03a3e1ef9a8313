package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"
)

func TestRateLimit(t *testing.T) {
	t.Parallel()
	t.Run("a client that asks too often is told when to come back, whatever it claims to be", func(t *testing.T) {
		t.Parallel()
		gateway := setup{
			routes: passing("/v1/things", named(t, "things").URL),
			limit:  rateLimit{rate: rate.Limit(1.0 / 3), burst: 3},
		}.serve(t)
		for n := range 3 {
			res := call(t, http.MethodGet, gateway.URL+"/v1/things", fmt.Sprintf("X-Forwarded-For: 10.0.0.%d", n))
			require.Equal(t, http.StatusOK, res.StatusCode)
		}
		for _, path := range []string{"/v1/things", "/", "/nothing"} {
			res := call(t, http.MethodGet, gateway.URL+path, "X-Forwarded-For: 10.0.0.9", "X-Real-IP: 10.0.0.9", "Forwarded: for=10.0.0.9")
			requireProblem(t, res, http.StatusTooManyRequests, "throttled")
			require.Equal(t, "3", res.Header.Get("Retry-After"))
		}
	})

	once := rateLimit{rate: rate.Limit(1.0 / 3600), burst: 1}
	for name, c := range map[string]struct {
		first, second string
		admitted      bool
	}{
		"another address is another client":   {"10.0.0.1:5", "10.0.0.2:5", true},
		"another port is the same client":     {"10.0.0.1:5", "10.0.0.1:6", false},
		"IPv4 in IPv6 is the same client":     {"10.0.0.1:5", "[::ffff:10.0.0.1]:5", false},
		"one /64 is one client":               {"[2001:db8::1]:5", "[2001:db8::2]:5", false},
		"another /64 is another client":       {"[2001:db8:0:1::1]:5", "[2001:db8:0:2::1]:5", true},
		"what cannot be read is one client":   {"@", "somewhere", false},
		"and not the same as one that can be": {"@", "10.0.0.1:5", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clients := newClients(once)
			require.NoError(t, clients.admit(c.first))
			require.Equal(t, c.admitted, clients.admit(c.second) == nil)
		})
	}
	t.Run("clients are forgotten, the quietest first, when there are too many", func(t *testing.T) {
		t.Parallel()
		clients := newClients(once)
		for n := range maxClients + 1000 {
			_ = clients.admit(fmt.Sprintf("10.%d.%d.%d:1", n>>16, n>>8&255, n&255))
		}
		require.Len(t, clients.known, maxClients)
	})
	t.Run("the limit is written as a count and a unit", func(t *testing.T) {
		t.Parallel()
		for text, want := range map[string]rateLimit{"5000/s": {5000, 5000}, "120/m": {2, 120}, "3600/h": {1, 3600}, "off": {rate.Inf, 0}} {
			var l rateLimit
			require.NoError(t, l.UnmarshalText([]byte(text)), text)
			require.Equal(t, want, l)
		}
		for _, bad := range []string{"", "5000", "0/s", "-1/s", "5/d", "x/s", "1.5/s"} {
			require.Error(t, new(rateLimit).UnmarshalText([]byte(bad)), bad)
		}
	})
}

func TestBodyLimit(t *testing.T) {
	t.Parallel()
	upstream := upstreamServer(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n)
	})
	gateway := setup{routes: passing("/v1/things", upstream.URL)}.serve(t)
	post := func(t *testing.T, size int, chunked bool) *http.Response {
		var body io.Reader = strings.NewReader(strings.Repeat("x", size))
		if chunked {
			body = io.MultiReader(body) // hides the length
		}
		req, err := http.NewRequest(http.MethodPost, gateway.URL+"/v1/things", body)
		require.NoError(t, err)
		return do(t, req)
	}
	for _, chunked := range []bool{false, true} {
		t.Run(fmt.Sprintf("64 KiB is the most, chunked %t", chunked), func(t *testing.T) {
			t.Parallel()
			require.Equal(t, "65536", text(t, post(t, maxBody, chunked)))
			requireProblem(t, post(t, maxBody+1, chunked), http.StatusRequestEntityTooLarge, "too-large")
			requireProblem(t, post(t, 20*maxBody, chunked), http.StatusRequestEntityTooLarge, "too-large")
		})
	}
	t.Run("a client that waits for 100 is told to go on", func(t *testing.T) {
		t.Parallel()
		req, err := http.NewRequest(http.MethodPost, gateway.URL+"/v1/things", strings.NewReader("hello"))
		require.NoError(t, err)
		req.Header.Set("Expect", "100-continue")
		client := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: 10 * time.Second}}
		defer client.CloseIdleConnections()
		start := time.Now()
		res, err := client.Do(req)
		require.NoError(t, err)
		defer res.Body.Close()
		require.Equal(t, "5", text(t, res))
		require.Less(t, time.Since(start), 5*time.Second)
	})
	t.Run("a body that is no body is the client's mistake", func(t *testing.T) {
		t.Parallel()
		res := raw(t, gateway, "POST /v1/things HTTP/1.1", "Host: shop", "Transfer-Encoding: chunked", "", "zz", "nonsense")
		requireProblem(t, res, http.StatusBadRequest, "malformed")
	})
}

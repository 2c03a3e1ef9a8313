package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// started is a gateway that runs as the process does.
type started struct {
	public, ops string // base addresses
	stop        func()
	done        chan error
}

func start(t *testing.T, upstream string) started {
	file := filepath.Join(t.TempDir(), "routes.json")
	body := fmt.Sprintf(`{"routes": [{"prefix": "/v1/things", "upstreams": [%q], "token": "pass"}]}`, upstream)
	require.NoError(t, os.WriteFile(file, []byte(body), 0o600))

	ctx, cancel := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	s := started{stop: cancel, done: make(chan error, 1)}
	go func() {
		s.done <- run(ctx, []string{"ADDR=127.0.0.1:0", "OPS_ADDR=127.0.0.1:0", "ROUTES_FILE=" + file}, writer)
		writer.Close()
	}()
	lines := bufio.NewScanner(reader)
	for (s.public == "" || s.ops == "") && lines.Scan() {
		var line struct{ Msg, Port, Addr string }
		require.NoError(t, json.Unmarshal(lines.Bytes(), &line))
		switch {
		case line.Msg == "listening" && line.Port == "public":
			s.public = "http://" + line.Addr
		case line.Msg == "listening":
			s.ops = "http://" + line.Addr
		}
	}
	go func() { _, _ = io.Copy(io.Discard, reader) }()
	require.NotEmpty(t, s.public)
	return s
}

func TestRun(t *testing.T) {
	t.Parallel()
	t.Run("a stop lets the requests in flight finish", func(t *testing.T) {
		t.Parallel()
		arrived, release := make(chan struct{}), make(chan struct{})
		upstream := upstreamServer(t, func(w http.ResponseWriter, _ *http.Request) {
			close(arrived)
			<-release
			_, _ = io.WriteString(w, "finished")
		})
		gateway := start(t, upstream.URL)
		answer := make(chan string, 1)
		go func() {
			res, err := http.Get(gateway.public + "/v1/things")
			if err != nil {
				answer <- err.Error()
				return
			}
			defer res.Body.Close()
			body, _ := io.ReadAll(res.Body)
			answer <- string(body)
		}()
		<-arrived
		gateway.stop()
		require.Eventually(t, func() bool {
			_, err := http.Get(gateway.public + "/")
			return err != nil
		}, 5*time.Second, 10*time.Millisecond, "new connections are refused")
		close(release)
		require.Equal(t, "finished", <-answer)
		require.NoError(t, <-gateway.done)
	})
	t.Run("the ops port tells liveness, readiness and the time each route takes", func(t *testing.T) {
		t.Parallel()
		gateway := start(t, named(t, "things").URL)
		require.Equal(t, "things", text(t, call(t, http.MethodGet, gateway.public+"/v1/things/7")))
		require.Equal(t, http.StatusOK, call(t, http.MethodGet, gateway.ops+"/livez").StatusCode)
		require.Eventually(t, func() bool {
			return call(t, http.MethodGet, gateway.ops+"/readyz").StatusCode == http.StatusOK
		}, 5*time.Second, 10*time.Millisecond)
		require.Contains(t, text(t, call(t, http.MethodGet, gateway.ops+"/metrics")),
			`http_request_seconds_count{method="GET",route="/v1/things",status="200"} 1`)
		gateway.stop()
		require.NoError(t, <-gateway.done)
	})
	t.Run("everything wrong with the environment is said at once", func(t *testing.T) {
		t.Parallel()
		err := run(t.Context(), []string{"RATE_LIMIT=fast", "TOKEN_CACHE=1h"}, &bytes.Buffer{})
		for _, part := range []string{"ROUTES_FILE", "rate limit", "token cache"} {
			require.ErrorContains(t, err, part)
		}
	})
	t.Run("a bad routes file stops the start and is named", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "routes.json")
		require.NoError(t, os.WriteFile(file, []byte("{\n]"), 0o600))
		err := run(t.Context(), []string{"ROUTES_FILE=" + file}, &bytes.Buffer{})
		require.ErrorContains(t, err, file)
		require.ErrorContains(t, err, "line 2")
	})
}

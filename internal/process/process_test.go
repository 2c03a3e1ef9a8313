package process_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"banyan/internal/process"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConfig(t *testing.T) {
	t.Parallel()
	type config struct {
		URL   string        `env:"URL,required,notEmpty"`
		Wait  time.Duration `env:"WAIT" envDefault:"3s"`
		Other string        `env:"OTHER,required"`
	}
	got, err := process.Config[config]([]string{"URL=http://x", "OTHER=", "PATH=/bin"})
	require.NoError(t, err)
	require.Equal(t, config{"http://x", 3 * time.Second, ""}, got)

	_, err = process.Config[config]([]string{"WAIT=soon"})
	require.ErrorContains(t, err, "URL")
	require.ErrorContains(t, err, "WAIT")
	require.ErrorContains(t, err, "OTHER")
}

// running is an app that was started, and the addresses it listens on.
type running struct {
	public, ops string
	stop        context.CancelFunc
	done        chan error
}

func start(t *testing.T, fill func(*process.App)) running {
	t.Helper()
	return run(t, process.New(slog.New(slog.NewTextHandler(io.Discard, nil)), prometheus.NewRegistry()), fill)
}

func run(t *testing.T, app *process.App, fill func(*process.App)) running {
	t.Helper()
	fill(app)
	app.ServeOps("127.0.0.1:0", false)
	addrs := make(chan [2]string, 4)
	app.OnListen(func(name string, a net.Addr) { addrs <- [2]string{name, "http://" + a.String()} })
	ctx, stop := context.WithCancel(context.Background())
	r := running{stop: stop, done: make(chan error, 1)}
	go func() { r.done <- app.Run(ctx) }()
	for r.ops == "" {
		switch a := <-addrs; a[0] {
		case "public":
			r.public = a[1]
		case "ops":
			r.ops = a[1]
		}
	}
	t.Cleanup(stop)
	return r
}

func status(t *testing.T, url string) int {
	t.Helper()
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get(url)
	require.NoError(t, err)
	res.Body.Close()
	return res.StatusCode
}

func TestStop(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var order []string
	note := func(what string) { mu.Lock(); defer mu.Unlock(); order = append(order, what) }
	until := func(name string) func(context.Context) error {
		return func(ctx context.Context) error { <-ctx.Done(); note(name); return nil }
	}
	entered := make(chan struct{})
	r := start(t, func(app *process.App) {
		app.Serve("127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			close(entered)
			time.Sleep(200 * time.Millisecond)
			note("request")
			w.WriteHeader(http.StatusTeapot)
		}))
		app.Relay("relay", until("relay"))
		app.Work("consumer", until("consumer"))
		app.Close("pool", func() { note("pool") })
		app.Close("broker", func() { note("broker") })
	})
	require.Eventually(t, func() bool { return status(t, r.ops+"/readyz") == 200 }, 5*time.Second, 10*time.Millisecond)

	answered := make(chan int, 1)
	go func() { answered <- status(t, r.public+"/") }()
	<-entered
	r.stop()
	require.Equal(t, http.StatusTeapot, <-answered, "a request in flight is answered")
	require.NoError(t, <-r.done)
	require.Equal(t, []string{"request", "consumer", "relay", "broker", "pool"}, order)
}

func TestStandby(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	var closed bool
	unwanted := func(context.Context) error { return errors.New("it runs") }
	app := process.New(slog.New(slog.NewTextHandler(&log, nil)), prometheus.NewRegistry())
	r := run(t, app, func(app *process.App) {
		app.Standby(true)
		app.Serve("127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
		app.Work("consumer", unwanted)
		app.Relay("relay", unwanted)
		app.Close("pool", func() { closed = true })
	})
	require.Eventually(t, func() bool { return status(t, r.ops+"/readyz") == 200 }, 5*time.Second, 10*time.Millisecond)
	require.Equal(t, http.StatusTeapot, status(t, r.public+"/"))
	r.stop()
	require.NoError(t, <-r.done)
	require.True(t, closed)
	require.Equal(t, 1, strings.Count(log.String(), "standby"))
}

func TestFailures(t *testing.T) {
	t.Parallel()
	t.Run("a worker that fails stops the app, and is the error", func(t *testing.T) {
		t.Parallel()
		broken := errors.New("broken")
		r := start(t, func(app *process.App) {
			app.Work("sweeper", func(context.Context) error { return broken })
		})
		require.ErrorIs(t, <-r.done, broken)
	})
	t.Run("a taken address is a sentence with the way out", func(t *testing.T) {
		t.Parallel()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		app := process.New(slog.New(slog.NewTextHandler(io.Discard, nil)), prometheus.NewRegistry())
		app.Serve(l.Addr().String(), http.NotFoundHandler())
		err = app.Run(t.Context())
		require.ErrorContains(t, err, l.Addr().String()+" is taken")
		require.ErrorContains(t, err, "set ADDR")
	})
}

func TestOps(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	database := errors.New("the database is away")
	r := start(t, func(app *process.App) {
		app.Ready("postgres", func(context.Context) error { mu.Lock(); defer mu.Unlock(); return database })
	})
	require.Equal(t, 200, status(t, r.ops+"/livez"))
	require.Equal(t, 200, status(t, r.ops+"/metrics"))
	require.Equal(t, 503, status(t, r.ops+"/readyz"))
	require.Equal(t, 404, status(t, r.ops+"/debug/pprof/"), "profiling has to be asked for")
	mu.Lock()
	database = nil
	mu.Unlock()
	require.Eventually(t, func() bool { return status(t, r.ops+"/readyz") == 200 }, 5*time.Second, 10*time.Millisecond)
	r.stop()
	require.NoError(t, <-r.done)
}

// A condition that hangs costs its own request the time, and nobody else's.
func TestReadinessThatHangs(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	first := make(chan struct{})
	r := start(t, func(app *process.App) {
		app.Ready("slow", func(ctx context.Context) error {
			if asked.Add(1) > 1 {
				return nil
			}
			close(first)
			<-ctx.Done()
			return ctx.Err()
		})
		app.Ready("quick", func(ctx context.Context) error { return ctx.Err() })
	})
	hung := make(chan string, 1)
	go func() {
		res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get(r.ops + "/readyz")
		if err != nil {
			hung <- err.Error()
			return
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		hung <- string(body)
	}()
	<-first
	began := time.Now()
	require.Equal(t, 200, status(t, r.ops+"/readyz"))
	require.Less(t, time.Since(began), 1500*time.Millisecond, "it waited for the one that hangs")
	require.JSONEq(t, `{"slow": "context deadline exceeded", "quick": "ok"}`, <-hung)
}

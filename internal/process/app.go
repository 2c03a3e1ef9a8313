package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
)

// The time limits of a stop. Together, and with lingerTime, they stay below the 30 s
// that container runtimes usually grant.
const (
	drainTime = 12 * time.Second // requests in flight
	stageTime = 6 * time.Second  // each later stage
)

// ReadTime is how long a client may take to send a whole request.
const ReadTime = 15 * time.Second

// App is one program: servers, background work and what they hold open.
// Fill it, then call Run once.
type App struct {
	log      *slog.Logger
	ready    atomic.Bool
	ops      *ops
	servers  []server
	visitors visitors
	workers  []task
	relays   []task
	closers  []closer
	standby  bool
	listened func(name string, addr net.Addr)
}

type server struct {
	name, addr string
	handler    http.Handler
	connState  func(net.Conn, http.ConnState)
}

type task struct {
	name string
	run  func(context.Context) error
}

type closer struct {
	name  string
	close func()
}

// New makes an app that exports the registry's metrics on its ops port.
func New(log *slog.Logger, registry *prometheus.Registry) *App {
	a := &App{log: log, listened: func(string, net.Addr) {}, visitors: visitors{patience: patience}}
	a.ops = newOps(a.ready.Load, registry)
	return a
}

// Serve answers requests on addr with h.
func (a *App) Serve(addr string, h http.Handler) {
	a.servers = append(a.servers, server{"public", addr, a.visitors.tell(h), a.visitors.watch})
}

// ServeOps answers /livez, /readyz and /metrics on addr, which is for operators
// and must not be reachable by customers. Profiling adds net/http/pprof.
func (a *App) ServeOps(addr string, profiling bool) {
	if profiling {
		a.ops.profile()
	}
	a.servers = append(a.servers, server{"ops", addr, a.ops.mux, nil})
}

// HandleOps adds an endpoint to the ops port.
func (a *App) HandleOps(pattern string, h http.Handler) { a.ops.mux.Handle(pattern, h) }

// Ready adds a condition of readiness, such as a database that answers. Several requests
// may check it at once, and check must return when its context ends.
func (a *App) Ready(name string, check func(context.Context) error) { a.ops.check(name, check) }

// Work runs beside the servers: consumers, sweepers. run must return soon after
// its context ends; an earlier return with an error stops the app.
func (a *App) Work(name string, run func(context.Context) error) {
	a.workers = append(a.workers, task{name, run})
}

// Relay runs until servers and workers have stopped, so that what they leave
// behind can still go out.
func (a *App) Relay(name string, run func(context.Context) error) {
	a.relays = append(a.relays, task{name, run})
}

// Standby makes an app that serves its requests and its ops port and runs nothing
// else: no worker, no consumer, no relay. So a process can be tried beside the one that
// does the work, before it takes that over.
func (a *App) Standby(standby bool) { a.standby = standby }

// Close is called after everything has stopped, last added first.
func (a *App) Close(name string, fn func()) { a.closers = append(a.closers, closer{name, fn}) }

// OnListen is told each address once it is bound, which is how a test that
// asked for port 0 learns where to go.
func (a *App) OnListen(fn func(name string, addr net.Addr)) { a.listened = fn }

// Run starts the app and returns when it has stopped: nil after ctx ended and
// everything went well, otherwise the first error.
func (a *App) Run(ctx context.Context) error {
	defer a.closeAll()

	listeners, err := a.listen()
	if err != nil {
		return err
	}
	running, fail := context.WithCancelCause(ctx)
	defer fail(nil)

	servers := make([]*http.Server, len(listeners))
	var serving errgroup.Group
	for i, l := range listeners {
		servers[i] = newServer(a.servers[i].handler, a.log)
		servers[i].ConnState = a.servers[i].connState
		serving.Go(func() error {
			if err := servers[i].Serve(l); !errors.Is(err, http.ErrServerClosed) {
				fail(fmt.Errorf("serve %s: %w", a.servers[i].name, err))
			}
			return nil
		})
	}
	workers, relays := a.workers, a.relays
	if a.standby {
		a.log.Info("standby: requests are served, nothing else runs")
		workers, relays = nil, nil
	}
	stopWorkers := a.start(ctx, workers, fail)
	stopRelays := a.start(ctx, relays, fail)
	a.ready.Store(true)

	<-running.Done()
	a.ready.Store(false)
	a.log.Info("stopping")
	err = context.Cause(running)
	if ctx.Err() != nil {
		err = nil // being asked to stop is no error
	}
	a.visitors.linger()
	err = errors.Join(err, a.drain(ctx, servers), stopWorkers(), stopRelays())
	_ = serving.Wait()
	a.log.Info("stopped")
	return err
}

func (a *App) listen() ([]net.Listener, error) {
	var bound []net.Listener
	for _, s := range a.servers {
		l, err := net.Listen("tcp", s.addr)
		if err != nil {
			for _, b := range bound {
				b.Close()
			}
			if errors.Is(err, syscall.EADDRINUSE) {
				return nil, fmt.Errorf("the %s address %s is taken by another process; stop that one, or set %s to a free address", s.name, s.addr, addrVariable(s.name))
			}
			return nil, fmt.Errorf("listen for %s: %w", s.name, err)
		}
		bound = append(bound, l)
		a.log.Info("listening", "port", s.name, "addr", l.Addr().String())
		a.listened(s.name, l.Addr())
	}
	return bound, nil
}

func addrVariable(server string) string {
	if server == "ops" {
		return "OPS_ADDR"
	}
	return "ADDR"
}

// start runs the tasks on a context that outlives ctx, and returns the function
// that ends and awaits them.
func (a *App) start(ctx context.Context, tasks []task, fail func(error)) (stop func() error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var group errgroup.Group
	for _, t := range tasks {
		group.Go(func() error {
			err := t.run(ctx)
			if err != nil && ctx.Err() == nil {
				err = fmt.Errorf("%s: %w", t.name, err)
				fail(err)
			}
			return nil
		})
	}
	return func() error {
		cancel()
		done := make(chan struct{})
		go func() { _ = group.Wait(); close(done) }()
		select {
		case <-done:
			return nil
		case <-time.After(stageTime):
			return fmt.Errorf("background work did not stop within %s", stageTime)
		}
	}
}

// drain stops accepting and waits for the requests in flight. The ops server
// goes last, for it has something to say until the end.
func (a *App) drain(ctx context.Context, servers []*http.Server) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	var errs []error
	for i, s := range servers {
		if err := s.Shutdown(ctx); err != nil {
			s.Close()
			errs = append(errs, fmt.Errorf("drain %s: %w", a.servers[i].name, err))
		}
	}
	return errors.Join(errs...)
}

func (a *App) closeAll() {
	for i := len(a.closers) - 1; i >= 0; i-- {
		a.closers[i].close()
	}
}

// newServer sets the limits that net/http leaves open: without them one client
// that sends a header a byte at a time holds a connection for ever. A large answer gets more
// time than WriteTimeout, as long as its client reads (pace.go).
func newServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       ReadTime,
		WriteTimeout:      patience,
		IdleTimeout:       90 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

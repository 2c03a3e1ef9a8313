package process

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/pprof"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// ops is the operators' port.
type ops struct {
	mux    *http.ServeMux
	mu     sync.Mutex
	checks map[string]func(context.Context) error
}

func newOps(serving func() bool, registry *prometheus.Registry) *ops {
	o := &ops{mux: http.NewServeMux(), checks: map[string]func(context.Context) error{}}
	o.mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("ok\n"))
	})
	o.mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		o.readyz(w, r, serving())
	})
	o.mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	return o
}

func (o *ops) check(name string, fn func(context.Context) error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.checks[name] = fn
}

// readyz answers 200 when the process serves and all its conditions hold, else
// 503 with the state of each.
func (o *ops) readyz(w http.ResponseWriter, r *http.Request, serving bool) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	status, states := http.StatusOK, map[string]string{}
	if !serving {
		status, states["process"] = http.StatusServiceUnavailable, "starting or stopping"
	}
	// Side by side, and without the lock: one condition that hangs must neither use up
	// the time of the others nor keep the next request waiting.
	o.mu.Lock()
	checks := maps.Clone(o.checks)
	o.mu.Unlock()
	var mu sync.Mutex
	var asking sync.WaitGroup
	for name, check := range checks {
		asking.Go(func() {
			err := check(ctx)
			mu.Lock()
			defer mu.Unlock()
			states[name] = "ok"
			if err != nil {
				status, states[name] = http.StatusServiceUnavailable, err.Error()
			}
		})
	}
	asking.Wait()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(states)
}

func (o *ops) profile() {
	o.mux.HandleFunc("/debug/pprof/", pprof.Index)
	o.mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	o.mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	o.mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	o.mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
}

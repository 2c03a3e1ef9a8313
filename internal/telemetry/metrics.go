package telemetry

import (
	"net/http"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// NewRegistry returns a registry with the Go runtime's and the process's own metrics.
func NewRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// Requests measures HTTP requests by method, route (the pattern, never the
// path: an id in a label would be a series of its own) and status.
type Requests struct {
	seconds *prometheus.HistogramVec
}

// NewRequests registers http_request_seconds.
func NewRequests(r prometheus.Registerer) *Requests {
	m := &Requests{prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "http_request_seconds",
		Help:    "Time from the request's arrival to the end of its handler.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
	}, []string{"method", "route", "status"})}
	r.MustRegister(m.seconds)
	return m
}

// Observe counts one request.
func (m *Requests) Observe(method, route string, status int, took time.Duration) {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
	default:
		method = "other" // anybody can make one up
	}
	m.seconds.WithLabelValues(method, route, strconv.Itoa(status)).Observe(took.Seconds())
}

// WatchPool exports the pool's figures: connections by state, and how often and
// how long callers waited for one.
func WatchPool(r prometheus.Registerer, pool *pgxpool.Pool) {
	r.MustRegister(poolCollector{pool})
}

type poolCollector struct{ pool *pgxpool.Pool }

var (
	poolConns = prometheus.NewDesc("postgres_pool_connections", "Connections by state.", []string{"state"}, nil)
	poolMax   = prometheus.NewDesc("postgres_pool_connections_max", "The most connections the pool may open.", nil, nil)
	poolWaits = prometheus.NewDesc("postgres_pool_waits_total", "Acquires that found no idle connection.", nil, nil)
	poolWait  = prometheus.NewDesc("postgres_pool_acquire_seconds_total", "Time spent acquiring connections.", nil, nil)
)

func (c poolCollector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

func (c poolCollector) Collect(ch chan<- prometheus.Metric) {
	s := c.pool.Stat()
	gauge, counter := prometheus.GaugeValue, prometheus.CounterValue
	ch <- prometheus.MustNewConstMetric(poolConns, gauge, float64(s.AcquiredConns()), "busy")
	ch <- prometheus.MustNewConstMetric(poolConns, gauge, float64(s.IdleConns()), "idle")
	ch <- prometheus.MustNewConstMetric(poolMax, gauge, float64(s.MaxConns()))
	ch <- prometheus.MustNewConstMetric(poolWaits, counter, float64(s.EmptyAcquireCount()))
	ch <- prometheus.MustNewConstMetric(poolWait, counter, s.AcquireDuration().Seconds())
}

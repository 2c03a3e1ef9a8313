package events

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
)

type relayMetrics struct {
	published prometheus.Counter
	lost      prometheus.Counter
}

func newRelayMetrics(r prometheus.Registerer, pool *pgxpool.Pool) *relayMetrics {
	m := &relayMetrics{
		published: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "outbox_published_total",
			Help: "Events that the stream acknowledged and that were marked.",
		}),
		lost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "outbox_lost_by_stream_total",
			Help: "Marked events that were published again because the stream did not have them any more.",
		}),
	}
	r.MustRegister(m.published, m.lost, outboxCollector{pool})
	return m
}

// outboxCollector asks the outbox itself, at each scrape: the figures are right
// when no relay runs, which is when they matter.
type outboxCollector struct{ pool *pgxpool.Pool }

var (
	outboxDepth = prometheus.NewDesc("outbox_unpublished", "Events that wait to be published.", nil, nil)
	outboxAge   = prometheus.NewDesc("outbox_oldest_unpublished_seconds", "Age of the oldest of them, 0 if there is none.", nil, nil)
)

func (c outboxCollector) Describe(ch chan<- *prometheus.Desc) { ch <- outboxDepth; ch <- outboxAge }

func (c outboxCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	var depth int64
	var age float64
	err := c.pool.QueryRow(ctx, `
		select count(*), coalesce(extract(epoch from now() - min(created_at)), 0)::float8
		from outbox
		where stream_seq is null`).Scan(&depth, &age)
	if err != nil {
		return // without a database there is no figure; an error would take all other metrics with it
	}
	ch <- prometheus.MustNewConstMetric(outboxDepth, prometheus.GaugeValue, float64(depth))
	ch <- prometheus.MustNewConstMetric(outboxAge, prometheus.GaugeValue, max(age, 0))
}

type consumerMetrics struct {
	handled      *prometheus.CounterVec
	redeliveries prometheus.Counter
	duplicates   prometheus.Counter
	deadLetters  *prometheus.CounterVec
	missed       prometheus.Counter
	lag          prometheus.Histogram
}

func newConsumerMetrics(r prometheus.Registerer) *consumerMetrics {
	m := &consumerMetrics{
		handled: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "events_handled_total",
			Help: "Events whose effect was committed.",
		}, []string{"type"}),
		redeliveries: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "events_redelivered_total",
			Help: "Deliveries that were not the event's first.",
		}),
		duplicates: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "events_duplicates_total",
			Help: "Deliveries dropped because the inbox knew the event.",
		}),
		deadLetters: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "events_dead_letters_total",
			Help: "Events that were put aside: rejected, refused by the database, or still failing when they were too old.",
		}, []string{"type"}),
		missed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "events_missed_total",
			Help: "Messages that the stream forgot before this consumer came to them, those of other types included.",
		}),
		lag: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "events_lag_seconds",
			Help:    "Time from the row in the outbox to the commit of the effect, by two clocks if there are two machines.",
			Buckets: []float64{.0005, .001, .002, .003, .004, .006, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 60, 600},
		}),
	}
	r.MustRegister(m.handled, m.redeliveries, m.duplicates, m.deadLetters, m.missed, m.lag)
	return m
}

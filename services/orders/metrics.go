package main

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
)

// pendingCollector asks the orders themselves, at each scrape: an order that
// nobody finishes shows, also when no sweeper runs.
type pendingCollector struct{ pool *pgxpool.Pool }

// OldestPending tells how long the oldest pending order has waited.
func OldestPending(pool *pgxpool.Pool) prometheus.Collector { return pendingCollector{pool} }

var pendingAge = prometheus.NewDesc("orders_oldest_pending_seconds", "Age of the oldest pending order, 0 if there is none.", nil, nil)

func (c pendingCollector) Describe(ch chan<- *prometheus.Desc) { ch <- pendingAge }

func (c pendingCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	var age float64
	err := c.pool.QueryRow(ctx, `
		select coalesce(extract(epoch from now() - min(placed_at)), 0)::float8
		from orders
		where status = 'pending'`).Scan(&age)
	if err != nil {
		return // without a database there is no figure; an error would take all other metrics with it
	}
	ch <- prometheus.MustNewConstMetric(pendingAge, prometheus.GaugeValue, max(age, 0))
}

package main

import (
	"sync/atomic"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/prometheus/client_golang/prometheus"
)

// register exports what the gateway does to stay on its feet. Labels are the prefixes
// and addresses of the routes file, so a client makes up none.
func (g *gateway) register(r prometheus.Registerer) {
	r.MustRegister(g.door, g.gate.longest, hopCollector{g}, gateCollector{g})
}

// hopCollector reads the counts that the table of routes keeps, so that counting costs a
// request no look-up by label.
type hopCollector struct{ gateway *gateway }

var (
	hopSent = prometheus.NewDesc("gateway_requests_total",
		"Requests sent to an upstream; the first attempt only.", []string{"route"}, nil)
	hopResent = prometheus.NewDesc("gateway_retries_total",
		"Attempts to send a request again that may have arrived before; at most a tenth of the requests of any ten seconds.", []string{"route"}, nil)
	hopRefused = prometheus.NewDesc("gateway_retries_refused_total",
		"Attempts that the retry budget did not allow.", []string{"route"}, nil)
	hopMoved = prometheus.NewDesc("gateway_failovers_total",
		"Requests that went on to another upstream, since the first could not be connected to and got nothing.", []string{"route"}, nil)
	hopCut = prometheus.NewDesc("gateway_answers_cut_total",
		"Answers that had begun and did not come to their end, by who it was: the upstream broke off or stood still (upstream), the client "+
			"read too slowly (slow_client) or hung up (gone_client).", []string{"route", "by"}, nil)
	breakerState = prometheus.NewDesc("gateway_breaker_state",
		"0: closed, 1: half open, 2: open.", []string{"upstream"}, nil)
	breakerOpened = prometheus.NewDesc("gateway_breaker_opened_total",
		"How often the upstream's breaker has opened.", []string{"upstream"}, nil)
)

func (c hopCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{hopSent, hopResent, hopRefused, hopMoved, hopCut, breakerState, breakerOpened} {
		ch <- d
	}
}

// Collect is called at each scrape.
func (c hopCollector) Collect(ch chan<- prometheus.Metric) {
	counter := func(d *prometheus.Desc, value int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value), labels...)
	}
	table := c.gateway.table.Load()
	for _, r := range table.routes {
		counter(hopSent, r.budget.total.sent.Load(), r.Prefix)
		counter(hopResent, r.budget.total.resent.Load(), r.Prefix)
		counter(hopRefused, r.budget.total.refused.Load(), r.Prefix)
		counter(hopMoved, r.failovers.Load(), r.Prefix)
		counter(hopCut, r.cuts.upstream.Load(), r.Prefix, "upstream")
		counter(hopCut, r.cuts.slow.Load(), r.Prefix, "slow_client")
		counter(hopCut, r.cuts.gone.Load(), r.Prefix, "gone_client")
	}
	for base, u := range table.upstreams {
		counter(breakerOpened, u.breaker.opened.Load(), base)
		ch <- prometheus.MustNewConstMetric(breakerState, prometheus.GaugeValue, u.breaker.state(), base)
	}
}

// gateCollector reads what the gate counts.
type gateCollector struct{ gateway *gateway }

var (
	gateUnderWay = prometheus.NewDesc("gateway_under_way",
		"Requests that passed the gate and have not been answered in full.", []string{"route"}, nil)
	gateWaiting = prometheus.NewDesc("gateway_waiting",
		"Requests that are held now.", []string{"route"}, nil)
	gateHeld = prometheus.NewDesc("gateway_held_total",
		"Requests that were held.", []string{"route"}, nil)
	gateFailed = prometheus.NewDesc("gateway_held_failed_total",
		"Requests whose client left while they were held, that found no room to wait, or that were answered 502, 503 or 504 when let go.", []string{"route"}, nil)
	shadowAsked = prometheus.NewDesc("gateway_shadow_requests_total",
		"Copies of requests for a second upstream, by what came of them: sent, and then equal, different or failed; or dropped, since there were too many.",
		[]string{"outcome"}, nil)
	tableReplaced = prometheus.NewDesc("gateway_table_replacements_total",
		"Tables of routes that were put into force after the first one.", nil, nil)
)

func (c gateCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{gateUnderWay, gateWaiting, gateHeld, gateFailed, tableReplaced, shadowAsked} {
		ch <- d
	}
}

// Collect is called at each scrape.
func (c gateCollector) Collect(ch chan<- prometheus.Metric) {
	for _, r := range c.gateway.table.Load().routes {
		ch <- prometheus.MustNewConstMetric(gateUnderWay, prometheus.GaugeValue, float64(r.lanes.underWay()), r.Prefix)
		ch <- prometheus.MustNewConstMetric(gateWaiting, prometheus.GaugeValue, float64(r.waiting.Load()), r.Prefix)
		ch <- prometheus.MustNewConstMetric(gateHeld, prometheus.CounterValue, float64(r.held.Load()), r.Prefix)
		ch <- prometheus.MustNewConstMetric(gateFailed, prometheus.CounterValue, float64(r.heldFailed.Load()), r.Prefix)
	}
	ch <- prometheus.MustNewConstMetric(tableReplaced, prometheus.CounterValue, float64(c.gateway.replaced.Load()))
	shadows := &c.gateway.shadows
	for outcome, n := range map[string]*atomic.Int64{
		"sent": &shadows.sent, "equal": &shadows.equal, "different": &shadows.different, "dropped": &shadows.dropped, "failed": &shadows.failed,
	} {
		ch <- prometheus.MustNewConstMetric(shadowAsked, prometheus.CounterValue, float64(n.Load()), outcome)
	}
}

// state is the breaker's, as a number that grows with the trouble.
func (b *breaker) state() float64 {
	switch b.circuit.State() {
	case circuitbreaker.OpenState:
		return 2
	case circuitbreaker.HalfOpenState:
		return 1
	}
	return 0
}

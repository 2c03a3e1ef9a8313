package bench

import (
	"banyan/scripts/lab/up"
	"banyan/scripts/lab/workload"
)

// Work is what a request makes the parts of the lab do, all that follows included, as they count it themselves.
type Work struct {
	// SQL is by service.
	SQL map[string]SQLWork `json:"sql_per_request,omitempty"`
	// Statements and Rows are SQL's, all services together.
	Statements float64 `json:"sql_statements_per_request,omitempty"`
	Rows       float64 `json:"sql_rows_per_request,omitempty"`
	// Transactions are those committed in the side's database, over all rounds of the mix. The façade's are the
	// monolith's, whose database they share.
	Transactions float64 `json:"transactions_per_request,omitempty"`
	Writes       float64 `json:"writing_transactions_per_request,omitempty"`
	WAL          float64 `json:"wal_bytes_per_request,omitempty"`

	// Hops are HTTP requests served, by process: the gateway's own, what it passed on, and calls between services.
	Hops      map[string]float64 `json:"http_requests_per_request,omitempty"`
	HopsTotal float64            `json:"http_requests_per_request_total,omitempty"`
	// Charges are calls of the card processor.
	Charges float64 `json:"charges_per_request"`
	// Events are messages that the broker took and handed out; each is acknowledged once more.
	Published float64 `json:"events_published_per_request,omitempty"`
	Delivered float64 `json:"events_delivered_per_request,omitempty"`
	// RoundTrips is the upper bound of the network round trips: HTTP requests, charges, messages of the broker, and SQL
	// statements as if each travelled alone, which batches do not.
	RoundTrips float64 `json:"network_round_trips_per_request_at_most,omitempty"`

	// Bytes between browser and side, HTTP's own included.
	Sent     float64 `json:"bytes_sent_per_request"`
	Received float64 `json:"bytes_received_per_request"`

	// Effects are from the commit of a change to the effect of its event, by consumer, under a closed loop's load.
	Effects map[string]Effect `json:"commit_to_effect,omitempty"`
}

// SQLWork is what a service has PostgreSQL do for a request.
type SQLWork struct {
	Statements float64 `json:"statements"` // begin, commit and rollback aside
	Control    float64 `json:"transaction_commands"`
	Rows       float64 `json:"rows"`
	WAL        float64 `json:"wal_bytes"` // commit records aside
}

// Effect is how long events took, as their consumer counts it.
type Effect struct {
	Events int64   `json:"events"`
	P50    float64 `json:"p50_ms"`
	P99    float64 `json:"p99_ms"`
}

// allConsumers is all of them together.
const allConsumers = "all"

func workOf(side string, c *counted, t *workload.Tally) Work {
	requests := float64(t.Requests)
	w := Work{
		SQL: map[string]SQLWork{}, Hops: map[string]float64{},
		Writes: float64(c.server.writes) / requests, WAL: float64(c.server.wal) / requests,
		Sent: float64(t.Sent) / requests, Received: float64(t.Received) / requests,
		Effects: effectsOf(side, c),
	}
	for role, count := range c.sql {
		if !worksFor(postgresName+" "+role, side) || count.statements == 0 {
			continue
		}
		w.SQL[area(role)] = SQLWork{
			float64(count.statements) / requests, float64(count.control) / requests,
			float64(count.rows) / requests, float64(count.wal) / requests,
		}
		w.Statements += float64(count.statements) / requests
		w.Rows += float64(count.rows) / requests
	}
	for process, served := range c.served {
		if served > 0 && worksFor(process, side) {
			w.Hops[process] = float64(served) / requests
			w.HopsTotal += w.Hops[process]
		}
	}
	bought := t.Visits[workload.BuyConfirm].Count - t.Refused["sold-out"] - t.Refused["order-pending"] - t.Refused["cart-empty"]
	w.Charges = float64(max(bought, 0)) / requests
	if side != up.Monolith && side != facade {
		w.Published, w.Delivered = float64(c.events.published)/requests, float64(c.events.delivered)/requests
	}
	if w.HopsTotal > 0 {
		control := 0.0
		for _, sql := range w.SQL {
			control += sql.Control
		}
		w.RoundTrips = w.HopsTotal + w.Charges + w.Published + w.Delivered + w.Statements + control
	}
	return w
}

func effectsOf(side string, c *counted) map[string]Effect {
	found := map[string]Effect{}
	all := buckets{}
	note := func(name string, lag buckets) {
		if n := lag.count(); n > 0 {
			found[name] = Effect{n, 1000 * lag.quantile(0.5), 1000 * lag.quantile(0.99)}
		}
	}
	for consumer, lag := range c.lags {
		if worksFor(consumer, side) {
			note(consumer, lag)
			all.add(lag)
		}
	}
	note(allConsumers, all)
	if len(found) == 0 {
		return nil
	}
	return found
}

package overload

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"banyan/scripts/lab/gauge"
	"banyan/scripts/lab/shop"
	"banyan/scripts/lab/up"
)

// What goes on while payments is killed, restarted, killed again: people browse; some buy; some look at what they paid,
// which is what the gateway asks payments for.
const (
	browseRate  = 150.0 // a second
	buyRate     = 4.0
	paymentRate = 20.0
)

// Outage is browsing, and the gateway, while payments comes and goes.
type Outage struct {
	Rounds     int       `json:"rounds"`
	BrowseUp   []float64 `json:"browse_p99_up_ms"` // one per round
	BrowseDown []float64 `json:"browse_p99_down_ms"`
	P99Up      float64   `json:"p99_up_ms"` // their medians
	P99Down    float64   `json:"p99_down_ms"`
	P50Up      float64   `json:"p50_up_ms"`
	P50Down    float64   `json:"p50_down_ms"`
	Ratio      float64   `json:"ratio"`
	Browsed    int       `json:"browsed"`
	Unbrowsed  int       `json:"browsing_failed"`
	Opened     int       `json:"breaker_opened"`
	OpenSeen   int       `json:"rounds_open"`
	ClosedSeen int       `json:"rounds_closed_again"`
	Requests   int       `json:"gateway_requests"`
	Retries    int       `json:"gateway_retries"`
	Failovers  int       `json:"gateway_failovers"`
}

// outage interleaves rounds with payments and rounds without, since the machine is never the same for long.
func (s *crowd) outage(ctx context.Context, lab *up.Lab, rounds int, during time.Duration) (*Outage, error) {
	payments, gateway := lab.Process("payments"), lab.Process("gateway")
	if payments == nil || gateway == nil {
		return nil, fmt.Errorf("the lab runs no payments or no gateway")
	}
	ctx, stop := context.WithCancel(ctx)
	var others sync.WaitGroup
	defer others.Wait()
	defer stop()
	others.Go(func() { s.atRate(ctx, buyRate, 0, time.Hour, s.buy) })
	others.Go(func() { s.atRate(ctx, paymentRate, 0, time.Hour, s.lookAtPayments) })

	out := &Outage{Rounds: rounds}
	var p50Up, p50Down []float64
	browse := func() (p50, p99 float64) {
		t := s.atRate(ctx, browseRate, during/10, during, s.browse)
		out.Browsed += int(t.Served.Count())
		out.Unbrowsed += int(t.Requests() - t.Served.Count())
		return quantiles(&t.Served)
	}
	for range rounds {
		p50, p99 := browse()
		p50Up, out.BrowseUp = append(p50Up, p50), append(out.BrowseUp, p99)
		payments.Kill9()
		p50, p99 = browse()
		p50Down, out.BrowseDown = append(p50Down, p50), append(out.BrowseDown, p99)
		seen, err := breakerOf(ctx, gateway, payments)
		if err != nil {
			return nil, err
		}
		if seen > 0 {
			out.OpenSeen++
		}
		if err := payments.Restart(ctx); err != nil {
			return nil, err
		}
		if err := s.where.settle(lab); err != nil {
			return nil, err
		}
		for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
			if seen, err = breakerOf(ctx, gateway, payments); err != nil {
				return nil, err
			}
			if seen == 0 {
				out.ClosedSeen++
				break
			}
		}
	}
	out.P99Up, out.P99Down = median(out.BrowseUp), median(out.BrowseDown)
	out.P50Up, out.P50Down = median(p50Up), median(p50Down)
	if out.P99Up > 0 {
		out.Ratio = out.P99Down / out.P99Up
	}
	found, err := gauge.ReadMetrics(ctx, gateway.OpsURL)
	if err != nil {
		return nil, err
	}
	out.Opened = int(found.Of("gateway_breaker_opened_total", payments.URL))
	out.Requests = int(found.Sum("gateway_requests_total"))
	out.Retries = int(found.Sum("gateway_retries_total"))
	out.Failovers = int(found.Sum("gateway_failovers_total"))
	return out, nil
}

// breakerOf is the state of the gateway's breaker for an upstream: 0 is closed.
func breakerOf(ctx context.Context, gateway, upstream *up.Process) (float64, error) {
	found, err := gauge.ReadMetrics(ctx, gateway.OpsURL)
	if err != nil {
		return 0, err
	}
	return found.Of("gateway_breaker_state", upstream.URL), nil
}

func (s *crowd) browse() (string, answer) {
	kind := kindBook
	if rand.IntN(3) == 0 {
		kind = kindList
	}
	return s.ask(context.Background(), kind)
}

// buy fills a cart and buys it.
func (s *crowd) buy() (string, answer) {
	one := s.take(false)
	if one == nil {
		return kindFill, answer{err: errCrowded}
	}
	book := s.books[rand.IntN(len(s.books))]
	a := s.send(context.Background(), shop.Request{Method: http.MethodPut, Path: "/v1/cart/items/" + book, Token: one.Token, Body: map[string]int{"quantity": 1}})
	if a.Status == http.StatusOK {
		a = s.send(context.Background(), shop.Request{Method: http.MethodPost, Path: "/v1/orders", Token: one.Token, Key: uuid.NewString(), Body: checkout})
	}
	s.bought(one, a)
	return kindCheckout, a
}

func (s *crowd) lookAtPayments() (string, answer) {
	one := s.customers[rand.IntN(len(s.customers))]
	return "payments", s.send(context.Background(), shop.Request{Method: http.MethodGet, Path: "/v1/payments", Token: one.Token})
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

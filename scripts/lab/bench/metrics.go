package bench

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

var opsClient = &http.Client{Timeout: 5 * time.Second}

// metrics are what a process shows on its ops port.
type metrics struct {
	values map[string]float64 // without labels
	served int64              // HTTP requests, the ops port's own aside
	lag    buckets            // of the events that it consumed
}

// The names are those of internal/telemetry and internal/events.
const (
	requestsServed = "http_request_seconds_count"
	eventsLag      = "events_lag_seconds_bucket"
	poolSize       = "postgres_pool_connections_max"
)

// readMetrics asks a process.
func readMetrics(ctx context.Context, opsURL string) (*metrics, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, opsURL+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	response, err := opsClient.Do(r)
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("read metrics: %s answers %s", r.URL, response.Status)
	}
	return parseMetrics(response.Body)
}

// parseMetrics reads Prometheus's text format as far as it is needed here.
func parseMetrics(text io.Reader) (*metrics, error) {
	m := &metrics{values: map[string]float64{}, lag: buckets{}}
	lines := bufio.NewScanner(text)
	for lines.Scan() {
		line := lines.Text()
		space := strings.LastIndexByte(line, ' ')
		if space < 0 || strings.HasPrefix(line, "#") {
			continue
		}
		value, err := strconv.ParseFloat(line[space+1:], 64)
		if err != nil {
			continue
		}
		name, labels, labelled := strings.Cut(line[:space], "{")
		switch {
		case name == requestsServed:
			m.served += int64(value)
		case name == eventsLag:
			_, limit, _ := strings.Cut(labels, `le="`)
			limit, _, _ = strings.Cut(limit, `"`)
			if le, err := strconv.ParseFloat(limit, 64); err == nil {
				m.lag[le] += int64(value)
			}
		case !labelled:
			m.values[name] = value
		}
	}
	return m, lines.Err()
}

// buckets are a histogram of Prometheus: how many observations were at most so many seconds.
type buckets map[float64]int64

// since is what was observed after an earlier look.
func (b buckets) since(earlier buckets) buckets {
	left := buckets{}
	for le, count := range b {
		left[le] = count - earlier[le]
	}
	return left
}

func (b buckets) add(other buckets) {
	for le, count := range other {
		b[le] += count
	}
}

func (b buckets) count() int64 { return b[math.Inf(1)] }

// quantile is in seconds, and interpolated within its bucket as Prometheus does; what is beyond the last limit
// counts as that limit. Without observations it is zero.
func (b buckets) quantile(q float64) float64 {
	limits := slices.SortedFunc(maps.Keys(b), cmp.Compare[float64])
	rank := q * float64(b.count())
	if rank == 0 {
		return 0
	}
	below, lower := int64(0), 0.0
	for _, le := range limits {
		if float64(b[le]) >= rank {
			if math.IsInf(le, 1) {
				return lower
			}
			return lower + (le-lower)*(rank-float64(below))/float64(b[le]-below)
		}
		below, lower = b[le], le
	}
	return lower
}

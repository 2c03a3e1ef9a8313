package bench

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseMetrics(t *testing.T) {
	t.Parallel()
	got, err := parseMetrics(strings.NewReader(`# HELP http_request_seconds Time from the request's arrival.
# TYPE http_request_seconds histogram
http_request_seconds_bucket{method="GET",route="/v1/books/:id",status="200",le="0.001"} 5
http_request_seconds_count{method="GET",route="/v1/books/:id",status="200"} 7
http_request_seconds_count{method="GET",route="/v1/books",status="404"} 3
events_lag_seconds_bucket{le="0.001"} 40
events_lag_seconds_bucket{le="0.002"} 90
events_lag_seconds_bucket{le="+Inf"} 100
go_gc{quantile="0"} 3
postgres_pool_connections_max 1.6e+01
`))
	require.NoError(t, err)
	require.EqualValues(t, 10, got.served)
	require.Equal(t, map[string]float64{poolSize: 16}, got.values)
	require.Equal(t, buckets{0.001: 40, 0.002: 90, math.Inf(1): 100}, got.lag)
}

func TestBuckets(t *testing.T) {
	t.Parallel()
	before := buckets{0.001: 10, 0.002: 10, math.Inf(1): 10}
	b := buckets{0.001: 50, 0.002: 100, math.Inf(1): 110}.since(before)
	require.EqualValues(t, 100, b.count())
	require.InDelta(t, 0.00120, b.quantile(0.5), 1e-6, "ten of fifty into the second bucket")
	require.InDelta(t, 0.0005, b.quantile(0.2), 1e-6)
	require.InDelta(t, 0.002, b.quantile(0.99), 1e-6, "beyond the last limit is not known")
	require.Zero(t, buckets{}.quantile(0.5))
	sum := buckets{}
	sum.add(b)
	sum.add(b)
	require.EqualValues(t, 200, sum.count())
}

package gauge

import (
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const shown = `# HELP http_request_seconds Time from the request's arrival.
# TYPE http_request_seconds histogram
http_request_seconds_bucket{method="GET",route="/v1/books/:id",status="200",le="0.001"} 5
http_request_seconds_count{method="GET",route="/v1/books/:id",status="200"} 7
http_request_seconds_count{method="GET",route="/v1/books",status="404"} 3
events_lag_seconds_bucket{subject="a",le="0.001"} 40
events_lag_seconds_bucket{subject="b",le="0.001"} 50
events_lag_seconds_bucket{subject="a",le="+Inf"} 100
postgres_pool_connections_max 1.6e+01
`

func TestMetrics(t *testing.T) {
	t.Parallel()
	m, err := ParseMetrics(strings.NewReader(shown))
	require.NoError(t, err)
	require.EqualValues(t, 10, m.Sum("http_request_seconds_count"))
	require.EqualValues(t, 3, m.Of("http_request_seconds_count", `status="404"`))
	require.EqualValues(t, 10, m.SumWhere("http_request_seconds_count", `method="GET"`))
	require.Zero(t, m.Of("http_request_seconds_count", `status="500"`))
	require.EqualValues(t, 16, m["postgres_pool_connections_max"])
	require.EqualValues(t, 16, m.Sum("postgres_pool_connections_max"))
	require.Equal(t, map[float64]int64{0.001: 90, math.Inf(1): 100}, m.Buckets("events_lag_seconds"))
	require.Empty(t, m.Buckets("events"))

	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	_, err = ReadMetrics(t.Context(), server.URL)
	require.ErrorContains(t, err, "/metrics answers 404")
}

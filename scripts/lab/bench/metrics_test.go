package bench

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

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

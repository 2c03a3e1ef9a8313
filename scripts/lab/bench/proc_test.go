package bench

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/gauge"
)

// spent is what a machine of the lab had used at second at.
func spent(at int, processes map[int]spender, reaped, busy time.Duration) *spending {
	return &spending{
		at: time.Unix(int64(at), 0), known: true, processes: processes, reaped: reaped,
		generator: time.Duration(at) * time.Second, machine: gauge.Machine{Busy: busy},
	}
}

func TestBill(t *testing.T) {
	t.Parallel()
	const s = time.Second
	before := spent(1, map[int]spender{
		1: {"catalog", 5 * s}, 2: {background, 1 * s}, 3: {"postgres catalog_app", 4 * s}, 4: {"postgres catalog_app", 2 * s},
	}, 10*s, 100*s)
	after := spent(3, map[int]spender{
		1: {"catalog", 6 * s}, 2: {background, 1 * s}, 3: {"postgres catalog_app", 7 * s}, 5: {"postgres catalog_app", 1 * s},
	}, 13*s, 110*s) // connection 4 has ended, after one more second of work; 5 is new

	got := after.since(before)

	require.Equal(t, map[string]time.Duration{
		"catalog": 1 * s, "postgres catalog_app": 4 * s, background: 1 * s,
	}, got.lab)
	require.Equal(t, 2*s, got.generator)
	require.Equal(t, 2*s, got.others, "10 s of the machine less 6 s of the lab and 2 s of the generator")

	t.Run("is unknown where the system does not tell", func(t *testing.T) {
		t.Parallel()
		silent := &spending{at: time.Unix(1, 0)}
		require.False(t, after.since(silent).known)
	})
}

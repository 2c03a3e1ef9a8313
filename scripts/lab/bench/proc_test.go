package bench

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseTimes(t *testing.T) {
	t.Parallel()

	t.Run("reads past a name with blanks and brackets", func(t *testing.T) {
		t.Parallel()
		got, err := parseTimes([]byte("42 (postgres: a) b) S 1 42 42 0 -1 4194560 1 2 3 4 150 50 7 3 20 0 1 0 100 200 300"))
		require.NoError(t, err)
		require.Equal(t, procTimes{own: 2 * time.Second, children: 100 * time.Millisecond}, got)
	})

	t.Run("refuses what is too short", func(t *testing.T) {
		t.Parallel()
		_, err := parseTimes([]byte("42 (postgres) S 1 2 3"))
		require.Error(t, err)
	})

	t.Run("finds this process", func(t *testing.T) {
		t.Parallel()
		if _, err := os.Stat("/proc/self/stat"); err != nil {
			t.Skip("no /proc here")
		}
		_, err := readTimes(os.Getpid())
		require.NoError(t, err)
		size, _, err := memory(os.Getpid())
		require.NoError(t, err)
		require.Greater(t, size, int64(1<<20))
	})
}

func TestParseMachine(t *testing.T) {
	t.Parallel()
	got, err := parseMachine([]byte("cpu  100 20 30 4000 500 6 4 40 0 0\ncpu0 50 10 15 2000 250 3 2 20 0 0\n"))
	require.NoError(t, err)
	require.Equal(t, machineTimes{busy: 1600 * time.Millisecond, stolen: 400 * time.Millisecond}, got)

	_, err = parseMachine([]byte("intr 1 2 3"))
	require.Error(t, err)
}

func TestKilobytes(t *testing.T) {
	t.Parallel()
	kb, found := kilobytes("Rss:   5000 kB\nPss:    1234 kB\nPss_Dirty: 7 kB\n", "Pss:")
	require.True(t, found)
	require.EqualValues(t, 1234, kb)
	_, found = kilobytes("Rss: 5000 kB\n", "Pss:")
	require.False(t, found)
}

// spent is what a machine of the lab had used at second at.
func spent(at int, processes map[int]spender, reaped, busy time.Duration) *spending {
	return &spending{
		at: time.Unix(int64(at), 0), known: true, processes: processes, reaped: reaped,
		generator: time.Duration(at) * time.Second, machine: machineTimes{busy: busy},
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

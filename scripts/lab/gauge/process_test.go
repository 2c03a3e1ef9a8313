package gauge

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestProcess(t *testing.T) {
	t.Parallel()

	t.Run("reads past a name with blanks and brackets", func(t *testing.T) {
		t.Parallel()
		got, err := parseStat([]byte("42 (postgres: a) b) S 1 42 42 0 -1 4194560 1 2 3 4 150 50 7 3 20 0 1 0 100 200 300"))
		require.NoError(t, err)
		require.Equal(t, Process{Parent: 1, Used: 2 * time.Second, Reaped: 100 * time.Millisecond}, got)
	})

	t.Run("refuses what is too short", func(t *testing.T) {
		t.Parallel()
		_, err := parseStat([]byte("42 (postgres) S 1 2 3"))
		require.Error(t, err)
	})

	t.Run("finds this process", func(t *testing.T) {
		t.Parallel()
		if _, err := os.Stat("/proc/self/stat"); err != nil {
			t.Skip("no /proc here")
		}
		_, err := ReadProcess(os.Getpid())
		require.NoError(t, err)
		size, _, err := Memory(os.Getpid())
		require.NoError(t, err)
		require.Greater(t, size, int64(1<<20))
	})
}

func TestMachine(t *testing.T) {
	t.Parallel()
	got, err := parseMachine([]byte("cpu  100 20 30 4000 500 6 4 40 0 0\ncpu0 50 10 15 2000 250 3 2 20 0 0\n"))
	require.NoError(t, err)
	require.Equal(t, Machine{Busy: 1600 * time.Millisecond, Stolen: 400 * time.Millisecond}, got)

	_, err = parseMachine([]byte("intr 1 2 3"))
	require.Error(t, err)
}

func TestKilobytes(t *testing.T) {
	t.Parallel()
	kb, found := Kilobytes("Rss:   5000 kB\nPss:    1234 kB\nPss_Dirty: 7 kB\n", "Pss:")
	require.True(t, found)
	require.EqualValues(t, 1234, kb)
	_, found = Kilobytes("Rss: 5000 kB\n", "Pss:")
	require.False(t, found)
}

func TestCPUOfThisProcess(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("this system has no /proc")
	}
	before, err := CPU(os.Getpid())
	require.NoError(t, err)
	for sum, end := 0, time.Now().Add(150*time.Millisecond); time.Now().Before(end); sum++ {
	}
	after, err := CPU(os.Getpid())
	require.NoError(t, err)
	require.Greater(t, after-before, 20*time.Millisecond)
	_, err = CPU(1 << 30)
	require.Error(t, err)
}

package fault

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCards(t *testing.T) {
	t.Parallel()
	var charges atomic.Int64
	processor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		charges.Add(1)
		_, _ = fmt.Fprint(w, "approved")
	}))
	t.Cleanup(processor.Close)
	var c Cards
	address, err := c.before(strings.TrimPrefix(processor.URL, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.close()) })
	charge := func() (int, error) {
		response, err := http.Post("http://"+address+"/charges", "application/json", strings.NewReader("{}"))
		if err != nil {
			return 0, err
		}
		defer response.Body.Close()
		return response.StatusCode, nil
	}

	status, err := charge()
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)

	c.Failing.Store(true)
	status, err = charge()
	require.NoError(t, err)
	require.Equal(t, http.StatusInternalServerError, status)
	require.EqualValues(t, 1, charges.Load(), "the processor has not heard of it")
	c.Failing.Store(false)

	c.Dumb.Store(true)
	_, err = charge()
	require.Error(t, err)
	require.EqualValues(t, 2, charges.Load(), "it has charged, and nobody knows")
	c.Dumb.Store(false)

	c.Delay.Store(int64(50 * time.Millisecond))
	began := time.Now()
	_, err = charge()
	require.NoError(t, err)
	require.GreaterOrEqual(t, time.Since(began), 50*time.Millisecond)
}

func TestFill(t *testing.T) {
	t.Parallel()

	t.Run("leaves a disk alone that others use", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		var disk syscall.Statfs_t
		require.NoError(t, syscall.Statfs(dir, &disk))
		if int64(disk.Blocks)*int64(disk.Bsize) <= 4<<30 {
			t.Skip("the disk of temporary files is a small one here")
		}
		require.ErrorContains(t, fill(filepath.Join(dir, "filling")), "is left alone")
		require.NoFileExists(t, filepath.Join(dir, "filling"))
	})
}

func TestCutTail(t *testing.T) {
	t.Parallel()
	folder := func(t *testing.T, sizes map[string]int) string {
		dir := t.TempDir()
		for name, size := range sizes {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), make([]byte, size), 0o600))
		}
		return dir
	}
	size := func(path ...string) int64 {
		info, err := os.Stat(filepath.Join(path...))
		require.NoError(t, err)
		return info.Size()
	}

	t.Run("shortens the newest file only", func(t *testing.T) {
		t.Parallel()
		dir := folder(t, map[string]int{"2.blk": 1000, "9.blk": 1000, "10.blk": 1000, "index.db": 1000})
		require.NoError(t, cutTail(dir, 300))
		require.EqualValues(t, 700, size(dir, "10.blk"))
		require.EqualValues(t, 1000, size(dir, "9.blk"))
		require.EqualValues(t, 1000, size(dir, "index.db"))
	})
	t.Run("takes the one before, where the newest is empty, and leaves half of it", func(t *testing.T) {
		t.Parallel()
		dir := folder(t, map[string]int{"1.blk": 100, "2.blk": 0})
		require.NoError(t, cutTail(dir, 300))
		require.EqualValues(t, 50, size(dir, "1.blk"))
	})
	t.Run("finds nothing to lose in an empty store", func(t *testing.T) {
		t.Parallel()
		require.ErrorContains(t, cutTail(t.TempDir(), 300), "is empty")
	})
}

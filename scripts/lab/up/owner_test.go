package up

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOwner(t *testing.T) {
	t.Parallel()
	require.NoError(t, checkOwner(filepath.Join(t.TempDir(), "not", "there", "yet")))
	if os.Getuid() != 0 {
		t.Skip("only root can give a folder away")
	}
	checkout := t.TempDir()
	require.NoError(t, os.Chown(checkout, 12345, 12345))
	dir := filepath.Join(checkout, ".lab")

	_, err := Start(t.Context(), Options{Only: Monolith, Dir: dir, RandomPorts: true})
	require.ErrorContains(t, err, "belongs to #12345")
	require.ErrorContains(t, err, "--dir /var/tmp/lab; nothing was written")
	entries, err := os.ReadDir(checkout)
	require.NoError(t, err)
	require.Empty(t, entries)

	// Nor does a command that only looks for a running lab leave something behind.
	require.NoError(t, os.Mkdir(dir, 0o700))
	_, err = Running(dir)
	require.ErrorIs(t, err, ErrNotRunning)
	entries, err = os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)
}

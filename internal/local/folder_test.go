package local

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The umask is the whole process's, so each case is a process of its own.
func TestUmask(t *testing.T) {
	t.Parallel()
	for _, umask := range []string{"027", "077"} {
		t.Run(umask, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(folder(t), "made", "here")
			under := func(role string) *exec.Cmd {
				cmd := exec.Command("/bin/sh", "-c", "umask "+umask+`; exec "$0"`, os.Args[0])
				cmd.Env = append(os.Environ(), childRole+"="+role, childDir+"="+dir)
				return cmd
			}
			for range 2 { // a new cluster, and then the same one
				out, err := under("postgres").CombinedOutput()
				require.NoError(t, err, "%s", out)
			}
			require.FileExists(t, filepath.Join(dir, "data", "PG_VERSION"), "the data lie where they belong")
		})
	}
}

func TestMakeFolder(t *testing.T) {
	t.Parallel()
	needed := os.FileMode(0o700)
	if os.Getuid() == 0 {
		needed = 0o711
	}
	t.Run("what an earlier run left too closed is opened", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "closed")
		require.NoError(t, os.Mkdir(dir, 0o600))
		require.NoError(t, MakeFolder(dir))
		info, err := os.Stat(dir)
		require.NoError(t, err)
		require.Equal(t, needed, info.Mode().Perm()&needed)
	})
	t.Run("what is open stays so", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "open")
		require.NoError(t, os.Mkdir(dir, 0o700))
		require.NoError(t, os.Chmod(dir, 0o775))
		require.NoError(t, MakeFolder(dir))
		info, err := os.Stat(dir)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o775), info.Mode().Perm())
	})
	t.Run("a file is none", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "file")
		require.NoError(t, os.WriteFile(file, nil, 0o600))
		require.ErrorContains(t, MakeFolder(file), "is no folder")
	})
}

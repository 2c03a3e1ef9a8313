package mutants

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const source = "one\ntwo\nthree\nfour\nfive\n"

const wrong = `A mistake

It counts wrong.

--- a/count/numbers.go
+++ b/count/numbers.go
@@ -2,3 +2,3 @@
 two
-three
+four
 four
`

// repository is a folder with a file that the patch above changes.
func repository(t *testing.T, content string) string {
	t.Helper()
	root := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(root, "count"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "count", "numbers.go"), []byte(content), 0o644))
	return root
}

func TestOverlay(t *testing.T) {
	t.Parallel()
	mistake := patch{"mistake.patch", wrong}

	t.Run("replaces the file by a changed copy, and leaves the file alone", func(t *testing.T) {
		t.Parallel()
		root := repository(t, source)
		file, err := mistake.overlay(t.Context(), root, t.TempDir())
		require.NoError(t, err)
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		var overlay struct{ Replace map[string]string }
		require.NoError(t, json.Unmarshal(content, &overlay))
		original := filepath.Join(root, "count", "numbers.go")
		require.Len(t, overlay.Replace, 1)
		changed, err := os.ReadFile(overlay.Replace[original])
		require.NoError(t, err)
		require.Equal(t, "one\ntwo\nfour\nfour\nfive\n", string(changed))
		kept, err := os.ReadFile(original)
		require.NoError(t, err)
		require.Equal(t, source, string(kept))
	})

	t.Run("finds lines that have moved", func(t *testing.T) {
		t.Parallel()
		_, err := mistake.overlay(t.Context(), repository(t, "zero\n"+source), t.TempDir())
		require.NoError(t, err)
	})

	t.Run("refuses lines that have changed, and says which", func(t *testing.T) {
		t.Parallel()
		for _, content := range []string{"one\ntwo\n3\nfour\nfive\n", "one\n2\nthree\nfour\nfive\n", ""} {
			_, err := mistake.overlay(t.Context(), repository(t, content), t.TempDir())
			require.ErrorContains(t, err, "mistake.patch no longer applies")
			require.ErrorContains(t, err, "count/numbers.go:2")
		}
	})

	t.Run("refuses a file that is gone", func(t *testing.T) {
		t.Parallel()
		_, err := mistake.overlay(t.Context(), t.TempDir(), t.TempDir())
		require.ErrorContains(t, err, "mistake.patch")
		require.ErrorContains(t, err, filepath.Join("count", "numbers.go"))
	})

	t.Run("refuses a patch that changes nothing", func(t *testing.T) {
		t.Parallel()
		_, err := patch{"empty.patch", "A mistake\n"}.overlay(t.Context(), repository(t, source), t.TempDir())
		require.ErrorContains(t, err, "empty.patch changes no file")
	})

	t.Run("does not depend on where the copies are", func(t *testing.T) {
		t.Parallel()
		// Inside a repository, git would apply nothing here, and say nothing.
		dir, err := os.MkdirTemp(".", "copies-")
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
		dir, err = filepath.Abs(dir)
		require.NoError(t, err)
		_, err = mistake.overlay(t.Context(), repository(t, source), dir)
		require.NoError(t, err)
	})
}

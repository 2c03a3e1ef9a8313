package mutants

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/up"
)

// Whoever changes what a patch changes learns it here, and not an hour later in a run.
func TestPatches(t *testing.T) {
	t.Parallel()
	root, err := up.Root()
	require.NoError(t, err)
	names, err := files.ReadDir(".")
	require.NoError(t, err)
	known := map[string]bool{}
	for _, m := range All {
		known[m.patch] = true
		if m.alter != "" {
			known[m.alter] = true
		}
		t.Run(m.Name+" applies, and the programs build", func(t *testing.T) {
			t.Parallel()
			p, err := readPatch(m.patch)
			require.NoError(t, err)
			require.NotEmpty(t, p.title())
			overlay, err := p.overlay(t.Context(), root, t.TempDir())
			require.NoError(t, err)
			packages := map[string]bool{}
			args := []string{"vet", "-overlay", overlay}
			for _, path := range p.changes() {
				if of := "./" + filepath.ToSlash(filepath.Dir(path)); !packages[of] {
					packages[of] = true
					args = append(args, of)
				}
			}
			cmd := exec.CommandContext(t.Context(), "go", args...)
			cmd.Dir = root
			said, err := cmd.CombinedOutput()
			require.NoError(t, err, "go %s\n%s", strings.Join(args, " "), said)
		})
	}
	t.Run("are those of the mutants", func(t *testing.T) {
		there := map[string]bool{}
		for _, file := range names {
			there[file.Name()] = true
		}
		require.Equal(t, known, there)
	})
}

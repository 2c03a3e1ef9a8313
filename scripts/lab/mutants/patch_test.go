package mutants

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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
	for _, m := range Ladder {
		known[m.patch()] = true
		t.Run(m.Name+" applies, and the tests build", func(t *testing.T) {
			t.Parallel()
			p, err := readPatch(m.patch())
			require.NoError(t, err)
			require.NotEmpty(t, p.title())
			overlay, err := p.overlay(t.Context(), root, t.TempDir())
			require.NoError(t, err)
			cmd := exec.CommandContext(t.Context(), "go", "vet", "-overlay", overlay, "./"+m.folder)
			cmd.Dir = root
			said, err := cmd.CombinedOutput()
			require.NoError(t, err, "%s", said)
			tests, err := testsOf(filepath.Join(root, m.folder))
			require.NoError(t, err)
			require.Contains(t, tests, m.test)
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

// testsOf are the names of the tests in a folder.
func testsOf(folder string) (map[string]bool, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for _, found := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(content, -1) {
			names[string(found[1])] = true
		}
	}
	return names, nil
}

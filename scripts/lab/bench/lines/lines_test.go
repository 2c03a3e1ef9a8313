package lines

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/up"
)

func TestLinesOfAStep(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for path, content := range map[string]string{
		"monolith/shipping/store.go":                    "one\ntwo\nthree\n",
		"monolith/shipping/gone.go":                     "one\n",
		"services/shipping/store.go":                    "one\nchanged\nthree\nfour\n",
		"services/shipping/main.go":                     "one\ntwo\n",
		"services/shipping/main_test.go":                "one\ntwo\nthree\n",
		"services/shipping/testdata/sample.go":          "one\n",
		"services/gateway/main.go":                      "one\ntwo\nthree\n",
		"services/gateway/main_test.go":                 "one\n",
		"migrations/extract/7-shipping/cutover.sql":     "one\ntwo\n",
		"migrations/extract/7-shipping/derive.sql":      "one\n",
		"migrations/extract/6-payments/none-of-it.sql":  "one\n",
		"services/shipping/api.yaml":                    "one\n",
		"monolith/notifications/same.go":                "one\n",
		"services/notifications/same.go":                "one\n",
		"migrations/extract/2-notifications/derive.sql": "one\n",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, path)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, path), []byte(content), 0o644))
	}
	for number, want := range map[int][2]Change{
		0: {},
		1: {{Added: 3}, {}},
		2: {{}, {Added: 1}},
		7: {{Added: 4, Removed: 2}, {Added: 3}},
	} {
		code, sql, err := Of(t.Context(), root, up.Ladder[number])
		require.NoError(t, err)
		require.Equal(t, want, [2]Change{code, sql}, "step %d", number)
	}

	t.Run("are not known without the twin", func(t *testing.T) {
		t.Parallel()
		_, _, err := Of(t.Context(), root, up.Ladder[3])
		require.ErrorContains(t, err, "compare twins")
	})
}

func TestEveryStepHasLines(t *testing.T) {
	t.Parallel()
	root, err := up.Root()
	require.NoError(t, err)
	for _, step := range up.Ladder[1:] {
		code, sql, err := Of(t.Context(), root, step)
		require.NoError(t, err)
		require.Positive(t, code.Added, "step %d", step.Number)
		require.Equal(t, step.Area != "", sql.Added > 0, "step %d", step.Number)
	}
}

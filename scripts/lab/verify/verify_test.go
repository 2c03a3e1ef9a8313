package verify

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCommand(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		flags []string
		args  string
	}{
		"without flags":           {nil, "test ./scripts/contract -count=1 -args -target URL"},
		"with flags of go test":   {[]string{"-v", "-run", "Checkout"}, "test ./scripts/contract -count=1 -v -run Checkout -args -target URL"},
		"with flags of the suite": {[]string{"-v", "--", "-seed", "7"}, "test ./scripts/contract -count=1 -v -args -target URL -seed 7"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, strings.Fields(c.args), command("URL", c.flags))
		})
	}
}

// suite is a module with a contract suite that fails at one address.
func suite(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	folder := filepath.Join(root, "scripts", "contract")
	require.NoError(t, os.MkdirAll(folder, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "go.mod"), []byte("module suite\n\ngo 1.26\n"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "a_test.go"), []byte(`package contract

import (
	"flag"
	"testing"
)

var target = flag.String("target", "", "")

func TestTarget(t *testing.T) {
	if *target == "http://bad" {
		t.Error("this shop sells nothing")
	}
}
`), 0o644))
	return root
}

func TestRun(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	verdicts, err := Run(t.Context(), suite(t), []Target{{"monolith", "http://good"}, {"services", "http://bad"}}, nil, &out)
	require.NoError(t, err)
	require.Len(t, verdicts, 2, "a failure does not keep the next one from being judged")
	require.True(t, verdicts[0].Passed)
	require.False(t, verdicts[1].Passed)
	require.Contains(t, out.String(), "this shop sells nothing")
}

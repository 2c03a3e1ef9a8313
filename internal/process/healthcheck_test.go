package process_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/internal/process"
)

// TestHealthcheck starts this test binary again, as a container runtime starts a program beside the one that runs.
func TestHealthcheck(t *testing.T) {
	if url := os.Getenv("BE_A_HEALTHCHECK_OF"); url != "" {
		process.Healthcheck([]string{"program"}) // goes on
		process.Healthcheck([]string{"program", "healthcheck", url})
		t.Fatal("a health check went on")
	}
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/ready" {
			http.Error(w, "postgres is away", http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(server.Close)
	check := func(url string) (string, error) {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHealthcheck$")
		cmd.Env = append(os.Environ(), "BE_A_HEALTHCHECK_OF="+url)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}

	t.Run("a ready process is healthy", func(t *testing.T) {
		t.Parallel()
		out, err := check(server.URL + "/ready")
		require.NoError(t, err, out)
		require.Empty(t, out)
	})
	t.Run("one that is not says why", func(t *testing.T) {
		t.Parallel()
		out, err := check(server.URL + "/other")
		require.Error(t, err)
		require.Contains(t, out, "postgres is away")
	})
	t.Run("one that is gone is not healthy", func(t *testing.T) {
		t.Parallel()
		_, err := check("http://127.0.0.1:1/ready")
		require.Error(t, err)
	})
}

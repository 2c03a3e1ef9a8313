package workload

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestReplayAsksForAllPagesAtItsRate(t *testing.T) {
	var mu sync.Mutex
	asked := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked[r.URL.Path]++
		mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/broken" {
			w.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = io.WriteString(w, "{}")
	}))
	defer server.Close()
	r, err := Replay(t.Context(), server.URL, []string{"/a", "/b", "/c", "/broken"}, 2, 200, 500*time.Millisecond)
	require.NoError(t, err)
	require.EqualValues(t, 100, r.Requests)
	require.Len(t, asked, 4)
	require.EqualValues(t, asked["/broken"], r.Errors)
	require.Positive(t, r.Percentile(50))

	r, err = Replay(t.Context(), server.URL, []string{"/a"}, 2, 0, 100*time.Millisecond)
	require.NoError(t, err)
	require.Zero(t, r.Errors)
	require.Positive(t, r.Requests)
}

package history

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/shop"
)

// notes reads what a journal has on disk, also while it is open.
func notes(t *testing.T, path string) (all []note) {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var n note
		require.NoError(t, json.Unmarshal(lines.Bytes(), &n))
		all = append(all, n)
	}
	return all
}

func TestJournal(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "history.jsonl")
	h := &History{}
	require.NoError(t, h.Keep(path))
	var before atomic.Int64 // what was on disk when the shop got the first request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		before.Store(int64(len(notes(t, path))))
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write([]byte(`{"id": "o1"}`))
	}))
	t.Cleanup(server.Close)
	client, err := shop.New(shop.Options{Connections: 1}, server.URL)
	require.NoError(t, err)
	c := &Customer{Person: &shop.Person{Client: client, Email: customerA}, Patience: time.Second, History: h}
	a := h.Begin(Attempt{Customer: customerA, Key: "k1", Card: "tok_visa", Cart: []shop.Line{{BookID: "b", Quantity: 2}}})
	require.NoError(t, c.Buy(t.Context(), Visit{Card: "tok_visa"}, a))
	require.EqualValues(t, 1, before.Load(), "it is written down before it is sent")
	require.NoError(t, h.Close())

	written := notes(t, path)
	require.Len(t, written, 2)
	require.Equal(t, "checkout", written[0].Step)
	require.Equal(t, []shop.Line{{BookID: "b", Quantity: 2}}, written[0].Cart)
	require.Equal(t, "answer", written[1].Step)
	require.Equal(t, http.StatusCreated, written[1].Status)
	require.Equal(t, "o1", written[1].Order)
	require.False(t, a.Ended.IsZero())
}

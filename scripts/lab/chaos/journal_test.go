package chaos

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
	j, err := openJournal(path)
	require.NoError(t, err)
	var before atomic.Int64 // what was on disk when the shop got the first request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		before.Store(int64(len(notes(t, path))))
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write([]byte(`{"id": "o1"}`))
	}))
	t.Cleanup(server.Close)
	client, err := Shop{URL: server.URL}.client(1)
	require.NoError(t, err)
	h := &history{journal: j}
	c := &customer{Person: &shop.Person{Client: client, Email: customerA}, patience: time.Second, history: h}
	a := h.begin(attempt{Customer: customerA, Key: "k1", Card: "tok_visa", Cart: []shop.Line{{BookID: "b", Quantity: 2}}})
	require.NoError(t, c.buy(t.Context(), visit{card: "tok_visa"}, a))
	require.EqualValues(t, 1, before.Load(), "it is written down before it is sent")
	require.NoError(t, j.close())

	written := notes(t, path)
	require.Len(t, written, 2)
	require.Equal(t, "checkout", written[0].Step)
	require.Equal(t, []shop.Line{{BookID: "b", Quantity: 2}}, written[0].Cart)
	require.Equal(t, "answer", written[1].Step)
	require.Equal(t, http.StatusCreated, written[1].Status)
	require.Equal(t, "o1", written[1].Order)
	require.False(t, a.Ended.IsZero())
}

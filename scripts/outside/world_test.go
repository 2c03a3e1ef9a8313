package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// world is a running outside, as a client sees it.
type world struct {
	url      string
	smtpAddr string
	key      string
	stop     func(t *testing.T)
}

func startWorld(t *testing.T) world {
	t.Helper()
	return startWorldWith(t, t.TempDir()+"/ledger.jsonl")
}

// startWorldWith runs the whole process on free ports with a ledger that may exist already.
func startWorldWith(t *testing.T, ledgerFile string) world {
	t.Helper()
	var log syncBuffer
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, []string{
			"ADDR=127.0.0.1:0", "SMTP_ADDR=127.0.0.1:0", "LEDGER_FILE=" + ledgerFile,
			"MERCHANTS=monolith=key-of-monolith,services=key-of-services",
		}, &log)
	}()
	stop := sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	t.Cleanup(func() { stop() })

	var listening struct {
		Msg      string
		Addr     string
		SMTPAddr string `json:"smtp_addr"`
	}
	require.Eventually(t, func() bool {
		line, _, _ := strings.Cut(log.String(), "\n")
		return json.Unmarshal([]byte(line), &listening) == nil && listening.Msg == "listening"
	}, 10*time.Second, time.Millisecond, "log: %s", &log)
	return world{
		url:      "http://" + listening.Addr,
		smtpAddr: listening.SMTPAddr,
		key:      "key-of-monolith",
		stop:     func(t *testing.T) { require.NoError(t, stop()) },
	}
}

func chargeOf(reference, token string) ChargeRequest {
	return ChargeRequest{Reference: reference, Amount: 1299, Currency: "USD", Token: token}
}

// try posts a body as JSON and returns what became of it.
func (w world) try(ctx context.Context, path string, body any) (int, string, error) {
	encoded, ok := body.(json.RawMessage)
	if !ok {
		var err error
		if encoded, err = json.Marshal(body); err != nil {
			return 0, "", err
		}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url+path, bytes.NewReader(encoded))
	if err != nil {
		return 0, "", err
	}
	request.Header.Set("Authorization", "Bearer "+w.key)
	return send(request)
}

func (w world) post(t *testing.T, path string, body any) (int, string) {
	t.Helper()
	status, answer, err := w.try(t.Context(), path, body)
	require.NoError(t, err)
	return status, answer
}

func (w world) get(t *testing.T, path string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+path, nil)
	require.NoError(t, err)
	status, answer, err := send(request)
	require.NoError(t, err)
	return status, answer
}

// effectsOf returns the effects that monolith's ledger has for a reference, in order.
func (w world) effectsOf(t *testing.T, reference string) []string {
	t.Helper()
	status, lines := w.get(t, "/ledger?merchant=monolith")
	require.Equal(t, http.StatusOK, status)
	var effects []string
	for line := range strings.Lines(lines) {
		var entry Entry
		require.NoError(t, json.Unmarshal([]byte(line), &entry))
		require.Equal(t, "monolith", entry.Merchant)
		if entry.Reference == reference {
			effects = append(effects, entry.Effect)
		}
	}
	return effects
}

func send(request *http.Request) (int, string, error) {
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}

// syncBuffer is a log that is read while it is written.
type syncBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

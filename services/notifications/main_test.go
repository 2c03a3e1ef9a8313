package main

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"banyan/internal/events"
	"banyan/internal/testdb"
	"banyan/internal/testprocess"
	"banyan/internal/token"
	"banyan/internal/web"
	"banyan/migrations"
)

// start runs notifications as the process does. It returns where it listens, and
// what stops it.
func start(t *testing.T, environ ...string) (public string, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, append(environ, "ADDR=127.0.0.1:0", "OPS_ADDR=127.0.0.1:0"), writer)
		writer.Close()
	}()
	lines := bufio.NewScanner(reader)
	for public == "" && lines.Scan() {
		var line struct{ Msg, Port, Addr string }
		require.NoError(t, json.Unmarshal(lines.Bytes(), &line))
		if line.Msg == "listening" && line.Port == "public" {
			public = "http://" + line.Addr
		}
	}
	go func() { _, _ = io.Copy(io.Discard, reader) }()
	if public == "" {
		require.NoError(t, <-done)
	}
	return public, func() error { cancel(); return <-done }
}

func TestRun(t *testing.T) {
	t.Parallel()

	t.Run("a registration becomes a mail that its customer finds in the list", func(t *testing.T) {
		t.Parallel()
		box, db, url := newSink(t, ""), testdb.New(t, migrations.FS), testdb.NATS(t)
		nc, err := events.Connect(t.Context(), url, "admin", slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		t.Cleanup(nc.Close)
		js, err := jetstream.New(nc)
		require.NoError(t, err)
		require.NoError(t, events.Provision(t.Context(), js))

		_, key, err := ed25519.GenerateKey(nil)
		require.NoError(t, err)
		signer := token.NewSigner("accounts", []ed25519.PrivateKey{key})
		accounts := http.NewServeMux()
		accounts.HandleFunc("GET /internal/v1/keys", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(signer.JWKS()) })
		published := httptest.NewServer(accounts)
		t.Cleanup(published.Close)

		public, stop := start(t, "DATABASE_URL="+db.URL("notifications_app"), "NATS_URL="+url,
			"ACCOUNTS_URL="+published.URL, "SMTP_ADDR="+box.addr)
		broker{t, js}.golden("account.registered")
		require.Eventually(t, func() bool { return box.has("ada@example.org") }, patience, 10*time.Millisecond)

		signed, err := signer.Issue(token.Identity{Subject: goldenAccount, Role: "customer"}, time.Minute)
		require.NoError(t, err)
		ada := web.NewClient(web.ClientConfig{
			Base: public, Timeout: patience, Bearer: func() (string, error) { return signed, nil },
		})
		var list web.List[Message]
		require.Eventually(t, func() bool {
			err := ada.Do(t.Context(), http.MethodGet, "/v1/notifications", nil, &list)
			return err == nil && len(list.Items) == 1 && list.Items[0].Status == "sent"
		}, patience, 10*time.Millisecond)

		nobody := web.NewClient(web.ClientConfig{Base: public, Timeout: patience})
		require.ErrorIs(t, nobody.Do(t.Context(), http.MethodGet, "/v1/notifications", nil, nil), token.ErrUnauthenticated)
		require.NoError(t, stop())
	})
	t.Run("everything that is missing is said at once", func(t *testing.T) {
		t.Parallel()
		err := run(t.Context(), nil, io.Discard)
		for _, name := range []string{"DATABASE_URL", "NATS_URL", "ACCOUNTS_URL", "SMTP_ADDR"} {
			require.ErrorContains(t, err, name)
		}
	})
}

func TestHandover(t *testing.T) {
	t.Parallel()
	testprocess.Handover(t, testdb.New(t, migrations.FS), "notifications", "notifications", run)
}

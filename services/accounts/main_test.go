package main

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
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

// start runs accounts as the process does. It returns where it listens, and what
// stops it.
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

// patience is how long a busy machine may take.
const patience = 20 * time.Second

func encode(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func TestRun(t *testing.T) {
	t.Parallel()

	t.Run("a customer registers, signs in and is known to every service", func(t *testing.T) {
		t.Parallel()
		db, url := testdb.New(t, migrations.FS), testdb.NATS(t)
		nc, err := events.Connect(t.Context(), url, "admin", slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		t.Cleanup(nc.Close)
		js, err := jetstream.New(nc)
		require.NoError(t, err)
		require.NoError(t, events.Provision(t.Context(), js))
		gateway := newKey()
		public, stop := start(t,
			"DATABASE_URL="+db.URL("accounts_app"), "NATS_URL="+url, "SIGNING_KEYS="+encode(newKey().Seed()),
			"CALLERS=gateway="+encode(gateway.Public().(ed25519.PublicKey)))

		customer := web.NewClient(web.ClientConfig{Base: public, Timeout: patience})
		var account Account
		registration := Registration{Email: "ada@example.org", Password: "analytical-engine", Name: "Ada"}
		require.NoError(t, customer.Do(t.Context(), http.MethodPost, "/v1/accounts", registration, &account))
		var session Session
		credentials := Credentials{Email: "ada@example.org", Password: "analytical-engine"}
		require.NoError(t, customer.Do(t.Context(), http.MethodPost, "/v1/sessions", credentials, &session))

		caller := token.NewCaller("gateway", gateway)
		front := web.NewClient(web.ClientConfig{
			Base: public, Timeout: patience, Bearer: func() (string, error) { return caller.Token("accounts") },
		})
		var signed Signed
		require.NoError(t, front.Do(t.Context(), http.MethodPost, "/internal/v1/sessions/exchange",
			map[string]string{"token": session.Token}, &signed))
		verifier := token.NewVerifier(token.VerifierConfig{Issuer: "accounts", IssuerURL: public})
		id, err := verifier.Verify(t.Context(), signed.Token)
		require.NoError(t, err)
		require.Equal(t, token.Identity{Subject: account.ID, Role: "customer"}, id)

		stream, err := js.Stream(t.Context(), events.Stream)
		require.NoError(t, err)
		var told *jetstream.RawStreamMsg
		require.Eventually(t, func() bool {
			told, err = stream.GetLastMsgForSubject(t.Context(), "events.accounts.account.registered")
			return err == nil
		}, patience, 10*time.Millisecond)
		require.JSONEq(t, `{"account_id":"`+account.ID.String()+`","email":"ada@example.org","name":"Ada"}`, string(told.Data))
		require.NoError(t, stop())
	})
	t.Run("everything that is missing is said at once", func(t *testing.T) {
		t.Parallel()
		err := run(t.Context(), nil, io.Discard)
		for _, name := range []string{"DATABASE_URL", "NATS_URL", "SIGNING_KEYS", "CALLERS"} {
			require.ErrorContains(t, err, name)
		}
	})
	t.Run("a key that is none stops the start, and is not shown", func(t *testing.T) {
		t.Parallel()
		err := run(t.Context(), []string{
			"DATABASE_URL=postgres://127.0.0.1:1/x", "NATS_URL=nats://127.0.0.1:1", "SIGNING_KEYS=secret", "CALLERS=gateway=x",
		}, io.Discard)
		require.ErrorContains(t, err, "SIGNING_KEYS")
		require.NotContains(t, err.Error(), "secret")
	})
}

func TestHandover(t *testing.T) {
	t.Parallel()
	testprocess.Handover(t, testdb.New(t, migrations.FS), "accounts", "accounts", run)
}

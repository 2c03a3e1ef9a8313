package up

import (
	"context"
	"encoding/json"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/internal/token"
	"banyan/migrations"
)

func TestLadder(t *testing.T) {
	t.Parallel()

	t.Run("numbers its steps, and knows every process that runs", func(t *testing.T) {
		t.Parallel()
		for number, step := range Ladder {
			require.Equal(t, number, step.Number)
			for _, process := range step.Processes {
				require.Contains(t, variables, process)
				require.Contains(t, ports, process)
			}
			require.Subset(t, migrations.Schemas, step.Schemas())
		}
	})

	t.Run("refuses a step that cannot be run, and says which can", func(t *testing.T) {
		t.Parallel()
		_, err := FindStep(4)
		require.EqualError(t, err, "step 4 (catalog) cannot be run yet: choose one of 0, 8")
		_, err = FindStep(9)
		require.ErrorContains(t, err, "the ladder goes from 0 to 8")
		step, err := FindStep(8)
		require.NoError(t, err)
		require.Contains(t, step.Processes, "gateway")
	})
}

// example are the settings of a lab with both sides.
func example(t *testing.T) *settings {
	t.Helper()
	kept := &secrets{}
	kept.complete()
	both, err := sides("")
	require.NoError(t, err)
	addresses := map[string]address{}
	for _, name := range processesOf(both) {
		addresses[name] = ports[name]
	}
	return &settings{
		dir:       "/lab",
		addresses: addresses,
		secrets:   kept,
		natsURL:   "nats://127.0.0.1:4222",
		databases: map[string]string{
			Monolith: "postgres://postgres:super@127.0.0.1:5432/monolith?sslmode=disable",
			Services: "postgres://postgres:super@127.0.0.1:5432/services?sslmode=disable",
		},
	}
}

func environmentOf(t *testing.T, s *settings, process string) map[string]string {
	t.Helper()
	pairs, err := s.environment(process)
	require.NoError(t, err)
	values := map[string]string{}
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		values[name] = value
	}
	return values
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	s := example(t)

	t.Run("is complete for every process", func(t *testing.T) {
		t.Parallel()
		for process, names := range variables {
			env := environmentOf(t, s, process)
			require.NotEmpty(t, env["ADDR"], process)
			for _, name := range names {
				require.NotEmpty(t, env[name], "%s of %s", name, process)
			}
		}
	})

	t.Run("says to each process who it is to the database and the broker", func(t *testing.T) {
		t.Parallel()
		env := environmentOf(t, s, "orders")
		require.Equal(t, "postgres://orders_app:"+s.secrets.Roles["orders_app"]+
			"@127.0.0.1:5432/services?application_name=orders&sslmode=disable", env["DATABASE_URL"])
		require.Equal(t, "nats://orders:"+s.secrets.NATS["orders"]+"@127.0.0.1:4222", env["NATS_URL"])
		require.Equal(t, "http://127.0.0.1:8103", env["INVENTORY_URL"])
		require.Contains(t, environmentOf(t, s, "monolith")["DATABASE_URL"], "127.0.0.1:5432/monolith?")
	})

	t.Run("holds the secrets of nobody else", func(t *testing.T) {
		t.Parallel()
		own := environmentOf(t, s, "catalog")
		for _, value := range own {
			require.NotContains(t, value, "super", "the superuser's password")
			require.NotContains(t, value, s.secrets.Roles["orders_app"])
			require.NotContains(t, value, s.secrets.Roles["catalog_owner"])
			require.NotContains(t, value, s.secrets.NATS["admin"])
		}
	})

	t.Run("gives callers a key that those they call know them by", func(t *testing.T) {
		t.Parallel()
		for called, names := range callers {
			known, err := token.ParseCallers(environmentOf(t, s, called)["CALLERS"])
			require.NoError(t, err)
			require.Len(t, known, len(names))
			for _, caller := range names {
				key, err := token.ParseSigningKey(environmentOf(t, s, caller)["SERVICE_KEY"])
				require.NoError(t, err)
				require.Equal(t, key.Public(), known[caller])
			}
		}
	})

	t.Run("lets what was asked for win", func(t *testing.T) {
		t.Parallel()
		s := *s
		s.extra = map[string][]string{"monolith": {"LOG_LEVEL=debug", "SWEEP_AFTER=1s"}}
		env := environmentOf(t, &s, "monolith")
		require.Equal(t, "debug", env["LOG_LEVEL"])
		require.Equal(t, "1s", env["SWEEP_AFTER"])
		require.Equal(t, "info", environmentOf(t, &s, "orders")["LOG_LEVEL"])
	})
}

func TestSecrets(t *testing.T) {
	t.Parallel()

	t.Run("are made once, for the owner's eyes only", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		first, err := openSecrets(dir)
		require.NoError(t, err)
		again, err := openSecrets(dir)
		require.NoError(t, err)
		require.Equal(t, first, again)
		other, err := openSecrets(t.TempDir())
		require.NoError(t, err)
		require.NotEqual(t, first.Roles["orders_app"], other.Roles["orders_app"])

		info, err := os.Stat(filepath.Join(dir, "secrets.json"))
		require.NoError(t, err)
		require.Equal(t, fs.FileMode(0o600), info.Mode().Perm())
	})

	t.Run("of a new kind are added to those that are there", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		require.NoError(t, writePrivate(filepath.Join(dir, "secrets.json"), &secrets{Roles: map[string]string{"orders_app": "kept"}}))
		s, err := openSecrets(dir)
		require.NoError(t, err)
		require.Equal(t, "kept", s.Roles["orders_app"])
		require.NotEmpty(t, s.Merchants[Monolith])
	})
}

func TestReserve(t *testing.T) {
	t.Parallel()

	t.Run("names every port that is taken, for whom it was, and the way out", func(t *testing.T) {
		t.Parallel()
		// An offset at which all of the ports are free, and then two of them are not.
		free, offset := (*reservation)(nil), 0
		require.Eventually(t, func() bool {
			offset += 101
			var err error
			free, err = reserve(t.Context(), []string{"monolith", "outside"}, 20_000+offset, false)
			return err == nil
		}, 10e9, 1e6)
		offset += 20_000
		free.releaseAll()
		for _, port := range []int{ports["monolith"].Ops, ports["outside"].SMTP} {
			listener, err := net.Listen("tcp", onLoopback(port+offset))
			require.NoError(t, err)
			defer listener.Close()
		}

		_, err := reserve(t.Context(), []string{"monolith", "outside"}, offset, false)
		require.ErrorContains(t, err, "port "+portText(ports["monolith"].Ops+offset)+" of 127.0.0.1, for monolith, is taken by")
		require.ErrorContains(t, err, "port "+portText(ports["outside"].SMTP+offset)+" of 127.0.0.1, for outside, is taken by")
		require.ErrorContains(t, err, "--port-offset")

		// What was free is free again.
		listener, err := net.Listen("tcp", onLoopback(ports["monolith"].Public+offset))
		require.NoError(t, err)
		require.NoError(t, listener.Close())
	})

	t.Run("at random gives every process ports of its own", func(t *testing.T) {
		t.Parallel()
		both, err := sides("")
		require.NoError(t, err)
		r, err := reserve(t.Context(), processesOf(both), 0, true)
		require.NoError(t, err)
		defer r.releaseAll()
		seen := map[int]bool{}
		for process, to := range r.addresses {
			for _, port := range []int{to.Public, to.Ops, to.SMTP} {
				require.False(t, port != 0 && seen[port], "%s shares port %d", process, port)
				seen[port] = true
			}
		}
		require.NotZero(t, r.addresses["outside"].SMTP)
		require.Zero(t, r.addresses["outside"].Ops)
	})
}

func portText(port int) string { _, text, _ := net.SplitHostPort(onLoopback(port)); return text }

func TestWriteRoutes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from.json"), filepath.Join(dir, "to.json")
	require.NoError(t, os.WriteFile(from, []byte(`{"routes": [
		{"prefix": "/v1/books", "upstreams": ["http://127.0.0.1:8102"], "shadow": {"to": "http://127.0.0.1:8080"}, "weight": 3},
		{"prefix": "/v1/stock", "upstreams": ["http://example.org:8103"]}
	]}`), 0o644))
	require.NoError(t, writeRoutes(from, to, map[string]address{"catalog": {Public: 12345}}))

	content, err := os.ReadFile(to)
	require.NoError(t, err)
	var written any
	require.NoError(t, json.Unmarshal(content, &written))
	require.Equal(t, map[string]any{"routes": []any{
		map[string]any{"prefix": "/v1/books", "upstreams": []any{"http://127.0.0.1:12345"},
			"shadow": map[string]any{"to": "http://127.0.0.1:8080"}, "weight": 3.0},
		map[string]any{"prefix": "/v1/stock", "upstreams": []any{"http://example.org:8103"}},
	}}, written)
}

func TestReplaceLedger(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	require.NoError(t, replaceLedger(path, "monolith", []byte(`{"merchant":"monolith","reference":"a"}`+"\n")))
	require.NoError(t, replaceLedger(path, "services", []byte(`{"merchant":"services","reference":"b"}`+"\n")))
	require.NoError(t, replaceLedger(path, "monolith", []byte(`{"merchant":"monolith","reference":"c"}`+"\n")))
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, `{"merchant":"services","reference":"b"}`+"\n"+`{"merchant":"monolith","reference":"c"}`+"\n", string(content))
}

func TestBuild(t *testing.T) {
	t.Parallel()

	t.Run("shows what the compiler says", func(t *testing.T) {
		t.Parallel()
		root, err := Root()
		require.NoError(t, err)
		err = build(t.Context(), root, t.TempDir(), []string{"no-such-service"})
		require.ErrorContains(t, err, "the programs do not build")
		require.ErrorContains(t, err, "no-such-service")
	})

	t.Run("that was called off gives the reason", func(t *testing.T) {
		t.Parallel()
		root, err := Root()
		require.NoError(t, err)
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(ErrNotRunning)
		require.ErrorIs(t, build(ctx, root, t.TempDir(), []string{"outside"}), ErrNotRunning)
	})
}

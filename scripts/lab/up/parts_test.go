package up

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/internal/token"
)

// example are the settings of a lab with both sides.
func example(t *testing.T, step int) *settings {
	t.Helper()
	kept := &secrets{}
	kept.complete()
	both, err := sides("")
	require.NoError(t, err)
	addresses := map[string]address{}
	for _, name := range (&Options{Facade: true}).processes(both, Ladder[step]) {
		addresses[name] = portsOf(name)
	}
	return &settings{
		dir:       "/lab",
		step:      Ladder[step],
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
	s := example(t, LastStep)

	t.Run("is complete for every process on every step", func(t *testing.T) {
		t.Parallel()
		for number := range Ladder {
			s := example(t, number)
			for process := range s.addresses {
				env := environmentOf(t, s, process)
				require.NotEmpty(t, env["ADDR"], process)
				for _, name := range s.variables(process) {
					require.NotEmpty(t, env[name], "%s of %s at step %d", name, process, number)
				}
			}
		}
	})

	t.Run("tells the trunk what has left it, and whom to ask instead", func(t *testing.T) {
		t.Parallel()
		first := environmentOf(t, example(t, 1), Trunk)
		require.Contains(t, first["DATABASE_URL"], "postgres://monolith_app:")
		require.Contains(t, first["DATABASE_URL"], "/services?application_name=trunk")
		require.NotContains(t, first, "EXTRACTED")
		require.NotContains(t, first, "NATS_URL")
		require.NotEqual(t, first["PROCESSOR_KEY"], environmentOf(t, example(t, 1), Monolith)["PROCESSOR_KEY"])

		s := example(t, 2)
		second := environmentOf(t, s, Trunk)
		require.Equal(t, "notifications", second["EXTRACTED"])
		require.Contains(t, second["NATS_URL"], "//monolith:")
		require.Contains(t, second["CALLERS"], "gateway=")
		require.NotContains(t, second, "SMTP_ADDR")
		require.Equal(t, "http://127.0.0.1:8108", environmentOf(t, s, "notifications")["ACCOUNTS_URL"])

		seventh := environmentOf(t, example(t, 7), Trunk)
		require.Equal(t, "notifications,accounts,catalog,inventory,payments,shipping", seventh["EXTRACTED"])
		require.Equal(t, "http://127.0.0.1:8101", seventh["ACCOUNTS_URL"])
		require.Equal(t, "http://127.0.0.1:8106", seventh["SHIPPING_URL"])
		require.NotContains(t, seventh, "PROCESSOR_KEY")
		require.NotContains(t, seventh, "SIGNING_KEYS")
	})

	t.Run("tells notifications of both homes of accounts while that may leave and come back", func(t *testing.T) {
		t.Parallel()
		for _, number := range []int{2, 3} {
			s := example(t, number)
			s.addresses[Trunk], s.addresses["accounts"] = portsOf(Trunk), portsOf("accounts")
			require.Equal(t, "http://127.0.0.1:8108,http://127.0.0.1:8101", environmentOf(t, s, "notifications")["ACCOUNTS_URL"])
		}
		require.Equal(t, "http://127.0.0.1:8101", environmentOf(t, example(t, 4), "notifications")["ACCOUNTS_URL"])
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
				require.Equal(t, []ed25519.PublicKey{key.Public().(ed25519.PublicKey)}, known[caller])
			}
		}
	})

	t.Run("lets what was asked for win", func(t *testing.T) {
		t.Parallel()
		s := example(t, LastStep)
		s.extra = map[string][]string{"monolith": {"LOG_LEVEL=debug", "SWEEP_AFTER=1s"}}
		env := environmentOf(t, s, "monolith")
		require.Equal(t, "debug", env["LOG_LEVEL"])
		require.Equal(t, "1s", env["SWEEP_AFTER"])
		require.Equal(t, "info", environmentOf(t, s, "orders")["LOG_LEVEL"])
		s.set("monolith", []string{"LOG_LEVEL=warn"})
		require.Equal(t, "warn", environmentOf(t, s, "monolith")["LOG_LEVEL"])
		require.Equal(t, "1s", environmentOf(t, s, "monolith")["SWEEP_AFTER"])
	})

	t.Run("is an instance's own where it has to be, and its service's otherwise", func(t *testing.T) {
		t.Parallel()
		s := example(t, LastStep)
		s.addresses["inventory-2"], s.addresses["orders-2"] = portsOf("inventory-2"), portsOf("orders-2")
		s.extra = map[string][]string{"orders": {"SWEEP_AFTER=1s"}, "orders-2": {"LOG_LEVEL=debug"}}
		first, second := environmentOf(t, s, "orders"), environmentOf(t, s, "orders-2")
		require.Equal(t, "127.0.0.1:8104", first["ADDR"])
		require.Equal(t, "127.0.0.1:8134", second["ADDR"])
		require.Equal(t, "127.0.0.1:8234", second["OPS_ADDR"])
		require.Equal(t, first["SERVICE_KEY"], second["SERVICE_KEY"])
		require.Equal(t, first["NATS_URL"], second["NATS_URL"])
		require.Contains(t, second["DATABASE_URL"], "application_name=orders-2")
		require.Contains(t, second["DATABASE_URL"], "orders_app")
		require.Equal(t, "http://127.0.0.1:8103,http://127.0.0.1:8133", first["INVENTORY_URL"])
		require.Equal(t, "1s", second["SWEEP_AFTER"])
		require.Equal(t, "debug", second["LOG_LEVEL"])
		require.Equal(t, "info", first["LOG_LEVEL"])
	})

	t.Run("leads through what stands between two processes", func(t *testing.T) {
		t.Parallel()
		s := example(t, LastStep)
		var asked []Link
		s.via = func(link Link) (string, error) {
			asked = append(asked, link)
			return "127.0.0.1:9", nil
		}
		env := environmentOf(t, s, "payments")
		for _, name := range []string{"DATABASE_URL", "NATS_URL", "ACCOUNTS_URL", "PROCESSOR_URL"} {
			require.Contains(t, env[name], "127.0.0.1:9", name)
		}
		require.ElementsMatch(t, []Link{
			{"payments", "postgres", "127.0.0.1:5432"}, {"payments", "nats", "127.0.0.1:4222"},
			{"payments", "accounts", "127.0.0.1:8101"}, {"payments", "outside", "127.0.0.1:8100"},
		}, asked)
		asked = nil
		require.Equal(t, "127.0.0.1:9", environmentOf(t, s, "monolith")["SMTP_ADDR"])
		require.Contains(t, asked, Link{"monolith", "mail", "127.0.0.1:8125"})
		require.Equal(t, "127.0.0.1:8125", environmentOf(t, s, "outside")["SMTP_ADDR"], "its own")
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

	t.Run("are not written again when none is new", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		_, err := openSecrets(dir)
		require.NoError(t, err)
		file := filepath.Join(dir, "secrets.json")
		before, err := os.Stat(file)
		require.NoError(t, err)
		_, err = openSecrets(dir)
		require.NoError(t, err)
		after, err := os.Stat(file)
		require.NoError(t, err)
		require.True(t, os.SameFile(before, after))
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
		r, err := reserve(t.Context(), (&Options{}).processes(both, Ladder[5]), 0, true)
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

func TestReplaceLedger(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	line := func(text string) func(io.Writer) error {
		return func(to io.Writer) error { _, err := fmt.Fprintln(to, text); return err }
	}
	require.NoError(t, replaceLedger(path, "monolith", line(`{"merchant":"monolith","reference":"a"}`)))
	require.NoError(t, replaceLedger(path, "services", line(`{"merchant":"services","reference":"b"}`)))
	require.NoError(t, replaceLedger(path, "monolith", line(`{"merchant":"monolith","reference":"c"}`)))
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, `{"merchant":"services","reference":"b"}`+"\n"+`{"merchant":"monolith","reference":"c"}`+"\n", string(content))
}

func TestBuild(t *testing.T) {
	t.Parallel()

	t.Run("replaces what an overlay says", func(t *testing.T) {
		t.Parallel()
		root, err := Root()
		require.NoError(t, err)
		dir := t.TempDir()
		other := filepath.Join(dir, "other.go")
		require.NoError(t, os.WriteFile(other, []byte("package main\n\nfunc main() { this does not compile }\n"), 0o644))
		overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{
			filepath.Join(root, "scripts", "outside", "main.go"): other,
		}})
		require.NoError(t, err)
		file := filepath.Join(dir, "overlay.json")
		require.NoError(t, os.WriteFile(file, overlay, 0o644))
		require.ErrorContains(t, build(t.Context(), root, dir, []string{"outside"}, file), "syntax error")
	})

	t.Run("shows what the compiler says", func(t *testing.T) {
		t.Parallel()
		root, err := Root()
		require.NoError(t, err)
		err = build(t.Context(), root, t.TempDir(), []string{"no-such-service"}, "")
		require.ErrorContains(t, err, "the programs do not build")
		require.ErrorContains(t, err, "no-such-service")
	})

	t.Run("that was called off gives the reason", func(t *testing.T) {
		t.Parallel()
		root, err := Root()
		require.NoError(t, err)
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(ErrNotRunning)
		require.ErrorIs(t, build(ctx, root, t.TempDir(), []string{"outside"}, ""), ErrNotRunning)
	})
}

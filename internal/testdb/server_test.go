package testdb

import (
	"context"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/internal/local"
)

// roomyFolder is a temporary one that the server's user can enter as well.
func roomyFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o711))
	require.NoError(t, os.Chmod(dir, 0o755))
	return dir
}

func requireSilent(t *testing.T, address string) {
	t.Helper()
	parsed, err := url.Parse(address)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", parsed.Host)
		if err != nil {
			return true
		}
		conn.Close()
		return false
	}, linger+10*time.Second, 50*time.Millisecond, "the server still answers")
}

func TestServer(t *testing.T) {
	t.Parallel()

	t.Run("test processes that start at once make one server and one template, and leave nothing when killed", func(t *testing.T) {
		t.Parallel()
		dir := roomyFolder(t)
		var lines []func() string
		var kills []func()
		for range 4 {
			line, kill := startChild(t, "DATABASE_URL=", "TMPDIR="+dir)
			lines, kills = append(lines, line), append(kills, kill)
		}
		var address string
		for _, line := range lines {
			address = line()
			require.Equal(t, 0, ask[int](t, address, `select count(*) from trunk.rings`))
		}
		require.Equal(t, 1, ask[int](t, address, `select count(*) from pg_database where starts_with(datname, $1)`, templatePrefix))
		require.Equal(t, 4, ask[int](t, address, `select count(*) from pg_database where starts_with(datname, $1)`, testPrefix))

		for _, kill := range kills {
			kill()
		}
		requireSilent(t, address)
	})

	t.Run("DATABASE_URL is used if it is set", func(t *testing.T) {
		t.Parallel()
		server, err := local.StartPostgres(t.Context(), local.PostgresOptions{Dir: roomyFolder(t)})
		require.NoError(t, err)
		t.Cleanup(func() { _ = server.Stop(context.Background()) })
		given, err := url.Parse(server.URL("whatever"))
		require.NoError(t, err)

		one, _ := startChild(t, "DATABASE_URL="+given.String())
		other, _ := startChild(t, "DATABASE_URL="+given.String())
		for _, line := range []func() string{one, other} {
			made, err := url.Parse(line())
			require.NoError(t, err)
			require.Equal(t, given.Host, made.Host)
			made.User = url.UserPassword("trunk_app", password)
			require.Equal(t, 0, ask[int](t, made.String(), `select count(*) from rings`))
		}
	})
}

package local

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
)

func startNATS(t *testing.T, options NATSOptions) *NATS {
	t.Helper()
	server, err := StartNATS(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(func() { _ = server.Stop(context.Background()) })
	return server
}

func streams(t *testing.T, server *NATS) (*nats.Conn, jetstream.JetStream) {
	t.Helper()
	conn, err := nats.Connect(server.URL())
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	require.NoError(t, err)
	return conn, js
}

func TestNATS(t *testing.T) {
	t.Parallel()

	t.Run("a stream is there after a restart", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		server := startNATS(t, NATSOptions{Dir: dir})
		_, js := streams(t, server)
		_, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "KEPT", Subjects: []string{"kept"}})
		require.NoError(t, err)
		require.NoError(t, server.Stop(t.Context()))
		requireGone(t, server.Process().PID(), "nats-server")

		_, js = streams(t, startNATS(t, NATSOptions{Dir: dir}))
		_, err = js.Stream(t.Context(), "KEPT")
		require.NoError(t, err)
	})

	t.Run("a configuration can refer to the environment", func(t *testing.T) {
		t.Parallel()
		config := filepath.Join(t.TempDir(), "nats.conf")
		require.NoError(t, os.WriteFile(config, []byte("server_name: $NAME_OF_SERVER\n"), 0o600))
		server := startNATS(t, NATSOptions{Dir: t.TempDir(), Config: config, Env: []string{"NAME_OF_SERVER=trunk"}})
		conn, js := streams(t, server)
		require.Equal(t, "trunk", conn.ConnectedServerName())
		_, err := js.AccountInfo(t.Context())
		require.NoError(t, err, "JetStream is on")
	})

	t.Run("a server that refuses to start shows its log", func(t *testing.T) {
		t.Parallel()
		config := filepath.Join(t.TempDir(), "nats.conf")
		require.NoError(t, os.WriteFile(config, []byte("nonsense {\n"), 0o600))
		_, err := StartNATS(t.Context(), NATSOptions{Dir: t.TempDir(), Config: config})
		require.ErrorContains(t, err, "Parse error")
	})

	t.Run("a taken port is told with the way out", func(t *testing.T) {
		t.Parallel()
		server := startNATS(t, NATSOptions{Dir: t.TempDir()})
		_, err := StartNATS(t.Context(), NATSOptions{Dir: t.TempDir(), Port: server.Port})
		require.ErrorContains(t, err, "choose another port")
	})

	t.Run("it does not outlive a parent that is killed", func(t *testing.T) {
		t.Parallel()
		parent := startChild(t, "nats", t.TempDir())
		process, _ := parent.pids(t)
		parent.kill()
		requireGone(t, process, "nats-server")
	})

	t.Run("a server whose parent and watchdog are both gone is stopped first", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		parent := startChild(t, "nats", dir)
		orphan, watchdog := parent.pids(t)
		kill(t, watchdog)
		parent.kill()
		require.True(t, runsWith(orphan, "nats-server", dir))
		startNATS(t, NATSOptions{Dir: dir})
		requireGone(t, orphan, "nats-server")
	})
}

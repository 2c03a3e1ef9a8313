package local

import (
	"context"
	"net"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const postmaster = "select pg_read_file('postmaster.pid')"

// serverPID is the server's process id, from the first line of its pid file.
func serverPID(t *testing.T, url string) int {
	t.Helper()
	line, _, _ := strings.Cut(ask[string](t, url, postmaster), "\n")
	pid, err := strconv.Atoi(line)
	require.NoError(t, err)
	return pid
}

func TestSharedPostgres(t *testing.T) {
	t.Parallel()

	t.Run("processes that start at once share one server, which goes after the last of them", func(t *testing.T) {
		t.Parallel()
		dir := folder(t)
		var children []*child
		for range 4 {
			children = append(children, startChild(t, "shared", dir))
		}
		address := children[0].line(t)
		for _, other := range children[1:] {
			require.Equal(t, address, other.line(t))
		}
		pid := serverPID(t, address)

		// The one that started it may be among these.
		for _, child := range children[:3] {
			child.kill()
		}
		time.Sleep(sharedIn(dir).Linger * 2)
		require.Equal(t, pid, serverPID(t, address), "the server has gone before its last user")
		children[3].kill()
		requireGone(t, pid, "postgres")
	})

	t.Run("somebody who comes during the linger finds the server", func(t *testing.T) {
		t.Parallel()
		dir := folder(t)
		first := startChild(t, "shared", dir)
		pid := serverPID(t, first.line(t))
		first.kill()

		second := startPostgres(t, sharedIn(dir))
		require.Equal(t, pid, serverPID(t, second.URL("postgres")))
		time.Sleep(sharedIn(dir).Linger * 2)
		require.Equal(t, pid, serverPID(t, second.URL("postgres")))
		require.NoError(t, second.Stop(t.Context()))
		requireGone(t, pid, "postgres")
	})

	t.Run("users who come and go around the linger's end never lose their server", func(t *testing.T) {
		t.Parallel()
		options := PostgresOptions{Dir: folder(t), Shared: true, Linger: 50 * time.Millisecond}
		for i := range 30 {
			server, err := StartPostgres(t.Context(), options)
			require.NoError(t, err)
			require.NoError(t, server.ping(t.Context()))
			time.Sleep(20 * time.Millisecond)
			require.NoError(t, server.ping(t.Context()), "round %d", i)
			require.NoError(t, server.Stop(t.Context()))
			// The linger and the watchdog's own time, a little less to a little more.
			time.Sleep(40*time.Millisecond + time.Duration(i)*time.Millisecond)
		}
	})

	t.Run("a server that does not answer somebody is not stopped for the others", func(t *testing.T) {
		t.Parallel()
		dir := folder(t)
		first := startPostgres(t, sharedIn(dir))
		pid := serverPID(t, first.URL("postgres"))
		require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
		hurried, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := StartPostgres(hurried, sharedIn(dir))
		require.NoError(t, syscall.Kill(pid, syscall.SIGCONT))
		require.ErrorContains(t, err, "does not answer")
		require.Equal(t, pid, serverPID(t, first.URL("postgres")))
	})

	t.Run("a killed server is replaced for the next user", func(t *testing.T) {
		t.Parallel()
		dir := folder(t)
		first := startChild(t, "shared", dir)
		address, err := url.Parse(first.line(t))
		require.NoError(t, err)
		pid := serverPID(t, address.String())
		kill(t, pid)
		require.Eventually(t, func() bool {
			conn, err := net.Dial("tcp", address.Host)
			if err == nil {
				conn.Close()
			}
			return err != nil
		}, 5*time.Second, 10*time.Millisecond)

		second := startPostgres(t, sharedIn(dir))
		require.NotEqual(t, pid, serverPID(t, second.URL("postgres")))
	})
}

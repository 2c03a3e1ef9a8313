package local

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPostgres(t *testing.T) {
	t.Parallel()

	t.Run("a durable server keeps what was committed", func(t *testing.T) {
		t.Parallel()
		dir := folder(t)
		server := startPostgres(t, PostgresOptions{Dir: dir, Durable: true})
		require.Equal(t, "on", ask[string](t, server.URL("postgres"), "show fsync"))
		require.Equal(t, "on", ask[string](t, server.URL("postgres"), "show synchronous_commit"))
		require.Equal(t, "É", ask[string](t, server.URL("postgres"), "select upper('é')"), "case beyond ASCII")
		tell(t, server.URL("postgres"), "create table kept ()")
		require.NoError(t, server.Stop(t.Context()))
		requireGone(t, server.Process().PID(), "postgres")

		server = startPostgres(t, PostgresOptions{Dir: dir, Durable: true})
		require.True(t, ask[bool](t, server.URL("postgres"), "select to_regclass('kept') is not null"))
	})

	t.Run("settings of the caller win", func(t *testing.T) {
		t.Parallel()
		server := startPostgres(t, PostgresOptions{Dir: folder(t), Settings: map[string]string{"max_connections": "42"}})
		require.Equal(t, "off", ask[string](t, server.URL("postgres"), "show fsync"))
		require.Equal(t, "42", ask[string](t, server.URL("postgres"), "show max_connections"))
	})

	t.Run("the password and the data are nobody else's to read", func(t *testing.T) {
		t.Parallel()
		dir := folder(t)
		server := startPostgres(t, PostgresOptions{Dir: dir})
		info, err := os.Stat(filepath.Join(dir, "data", passwordFile))
		require.NoError(t, err)
		require.Equal(t, fs.FileMode(0o600), info.Mode().Perm())

		stranger := &Postgres{Port: server.Port, password: "guess"}
		require.ErrorContains(t, stranger.ping(t.Context()), "password authentication failed")
	})

	t.Run("a folder has one owner at a time", func(t *testing.T) {
		t.Parallel()
		dir := folder(t)
		startPostgres(t, PostgresOptions{Dir: dir})
		_, err := StartPostgres(t.Context(), PostgresOptions{Dir: dir})
		require.ErrorContains(t, err, "another process is using the cluster")
	})

	t.Run("a taken port is told with the way out", func(t *testing.T) {
		t.Parallel()
		server := startPostgres(t, PostgresOptions{Dir: folder(t)})
		_, err := StartPostgres(t.Context(), PostgresOptions{Dir: folder(t), Port: server.Port})
		require.ErrorContains(t, err, fmt.Sprintf("port %d of 127.0.0.1 is taken", server.Port))
	})

	t.Run("a server that refuses to start shows its log", func(t *testing.T) {
		t.Parallel()
		_, err := StartPostgres(t.Context(), PostgresOptions{Dir: folder(t), Durable: true, Settings: map[string]string{"no_such_setting": "1"}})
		require.ErrorContains(t, err, "no_such_setting")
	})

	t.Run("it does not outlive a parent that is killed", func(t *testing.T) {
		t.Parallel()
		dir := folder(t)
		parent := startChild(t, "postgres", dir)
		process, _ := parent.pids(t)
		parent.kill()
		requireGone(t, process, "postgres")
		require.NoFileExists(t, filepath.Join(dir, "data", "postmaster.pid"), "it was stopped in order")
	})
}

func TestPostgresAfterACrash(t *testing.T) {
	t.Parallel()

	// crashed is the folder of a durable cluster with a table, whose server was killed.
	crashed := func(t *testing.T) string {
		t.Helper()
		dir := folder(t)
		server := startPostgres(t, PostgresOptions{Dir: dir, Durable: true})
		tell(t, server.URL("postgres"), "create table kept ()")
		kill(t, server.Process().PID())
		<-server.Process().Done()
		require.NoError(t, server.Stop(t.Context()))
		require.FileExists(t, filepath.Join(dir, "data", "postmaster.pid"))
		return dir
	}
	requireKept := func(t *testing.T, dir string) {
		t.Helper()
		server := startPostgres(t, PostgresOptions{Dir: dir, Durable: true})
		require.True(t, ask[bool](t, server.URL("postgres"), "select to_regclass('kept') is not null"))
	}

	t.Run("a killed server starts again with its data", func(t *testing.T) {
		t.Parallel()
		requireKept(t, crashed(t))
	})

	t.Run("the id in a stale pid file may belong to another program", func(t *testing.T) {
		t.Parallel()
		dir := crashed(t)
		user, err := serverUser()
		require.NoError(t, err)
		// The same user's, or the server would know by itself that this is no server.
		innocent, err := Start(t.Context(), Command{Name: "innocent", Path: "sleep", Args: []string{"300"}, User: user})
		require.NoError(t, err)
		t.Cleanup(innocent.Kill)
		pidFile := filepath.Join(dir, "data", "postmaster.pid")
		_, rest, _ := strings.Cut(read(t, pidFile), "\n")
		require.NoError(t, os.WriteFile(pidFile, fmt.Appendf(nil, "%d\n%s", innocent.PID(), rest), 0o600))

		requireKept(t, dir)
		require.True(t, runsWith(innocent.PID(), "sleep", "300"), "a stranger was killed")
	})

	t.Run("a pid file cut short by a full disk is no obstacle", func(t *testing.T) {
		t.Parallel()
		dir := crashed(t)
		require.NoError(t, os.Truncate(filepath.Join(dir, "data", "postmaster.pid"), 0))
		requireKept(t, dir)
	})

	t.Run("a cluster left half made is made anew", func(t *testing.T) {
		t.Parallel()
		dir := folder(t)
		half := filepath.Join(dir, "data.making")
		require.NoError(t, os.MkdirAll(filepath.Join(half, "base"), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(half, "PG_VERSION"), []byte("15\n"), 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "data.password"), []byte("old\n"), 0o600))
		startPostgres(t, PostgresOptions{Dir: dir, Durable: true})
		require.NoDirExists(t, half)
	})

	t.Run("a server whose parent and watchdog are both gone is stopped first", func(t *testing.T) {
		t.Parallel()
		dir := folder(t)
		parent := startChild(t, "postgres", dir)
		orphan, watchdog := parent.pids(t)
		kill(t, watchdog)
		parent.kill()
		require.True(t, runsWith(orphan, "postgres", dir))

		startPostgres(t, PostgresOptions{Dir: dir, Durable: true})
		requireGone(t, orphan, "postgres")
	})

	t.Run("without fsync a crashed cluster is not trusted", func(t *testing.T) {
		t.Parallel()
		server := startPostgres(t, PostgresOptions{Dir: crashed(t)})
		require.False(t, ask[bool](t, server.URL("postgres"), "select to_regclass('kept') is not null"))
	})
}

func TestPostgresAsRoot(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root can start a server as somebody else")
	}

	t.Run("the server belongs to an unprivileged user", func(t *testing.T) {
		t.Parallel()
		dir := folder(t)
		server := startPostgres(t, PostgresOptions{Dir: dir})
		user, err := serverUser()
		require.NoError(t, err)
		owner, err := exec.Command("ps", "-o", "uid=", "-p", strconv.Itoa(server.Process().PID())).Output()
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(user.Uid), strings.TrimSpace(string(owner)))
	})

	t.Run("a folder that user cannot enter gets its data elsewhere", func(t *testing.T) {
		t.Parallel()
		home := t.TempDir()
		require.NoError(t, os.Chmod(home, 0o700))
		dir := filepath.Join(home, "cluster")
		server := startPostgres(t, PostgresOptions{Dir: dir, Durable: true})
		tell(t, server.URL("postgres"), "create table kept ()")
		elsewhere, err := os.Readlink(filepath.Join(dir, "elsewhere"))
		require.NoError(t, err)
		t.Cleanup(func() { _ = os.RemoveAll(elsewhere) })
		require.FileExists(t, filepath.Join(elsewhere, "data", "PG_VERSION"))
		require.NoError(t, server.Stop(context.Background()))

		server = startPostgres(t, PostgresOptions{Dir: dir, Durable: true})
		require.True(t, ask[bool](t, server.URL("postgres"), "select to_regclass('kept') is not null"))
		require.NoError(t, server.Stop(context.Background()))
	})
}

package local

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"banyan/internal/postgres"
)

// childRole, if set, makes the test binary another process that uses this package: what happens to
// servers when their user dies can't be seen from within the user.
const (
	childRole = "LOCAL_TEST_CHILD"
	childDir  = "LOCAL_TEST_DIR"
)

func TestMain(m *testing.M) {
	role := os.Getenv(childRole)
	if role == "" {
		os.Exit(m.Run())
	}
	line, err := childRoles[role](os.Getenv(childDir))
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	fmt.Println(line)
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test has seen enough, or is gone
}

// childRoles are what a child can do; each returns a line for its parent.
var childRoles = map[string]func(dir string) (string, error){
	"process": func(dir string) (string, error) {
		p, err := Start(context.Background(), Command{Name: "sleeper", Path: "sleep", Args: []string{"300"}})
		if err != nil {
			return "", err
		}
		return fmt.Sprint(p.PID(), " ", p.watchdog.group()), nil
	},
	"postgres": func(dir string) (string, error) {
		server, err := StartPostgres(context.Background(), PostgresOptions{Dir: dir, Durable: true})
		if err != nil {
			return "", err
		}
		return fmt.Sprint(server.Process().PID(), " ", server.Process().watchdog.group()), nil
	},
	"shared": func(dir string) (string, error) {
		server, err := StartPostgres(context.Background(), sharedIn(dir))
		if err != nil {
			return "", err
		}
		return server.URL("postgres"), nil
	},
	"nats": func(dir string) (string, error) {
		server, err := StartNATS(context.Background(), NATSOptions{Dir: dir})
		if err != nil {
			return "", err
		}
		return fmt.Sprint(server.Process().PID(), " ", server.Process().watchdog.group()), nil
	},
}

// child is another process that uses this package.
type child struct {
	cmd   *exec.Cmd
	lines *bufio.Reader
}

func startChild(t *testing.T, role, dir string) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childRole+"="+role, childDir+"="+dir)
	_, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	c := &child{cmd: cmd, lines: bufio.NewReader(out)}
	t.Cleanup(c.kill)
	return c
}

// line waits for the child to say what it has done.
func (c *child) line(t *testing.T) string {
	t.Helper()
	line, err := c.lines.ReadString('\n')
	require.NoError(t, err)
	require.NotContains(t, line, "error:")
	return strings.TrimSpace(line)
}

// pids are the process and the watchdog that the child has started.
func (c *child) pids(t *testing.T) (process, watchdog int) {
	t.Helper()
	_, err := fmt.Sscan(c.line(t), &process, &watchdog)
	require.NoError(t, err)
	return process, watchdog
}

// kill ends the child without a chance to clean up.
func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}

// folder is a temporary one that the server's user can enter too; in memory, where that is possible,
// since making a cluster is mostly the making of a thousand files.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "local-test-")
	if err != nil {
		dir, err = os.MkdirTemp("", "local-test-")
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	return dir
}

// sharedIn are the options of the shared server that the tests use.
func sharedIn(dir string) PostgresOptions {
	return PostgresOptions{Dir: dir, Shared: true, Linger: 500 * time.Millisecond}
}

func startPostgres(t *testing.T, options PostgresOptions) *Postgres {
	t.Helper()
	server, err := StartPostgres(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(func() { _ = server.Stop(context.Background()) })
	return server
}

func requireGone(t *testing.T, pid int, program string) {
	t.Helper()
	require.Eventually(t, func() bool { return !runsWith(pid, program, "") }, 15*time.Second, 10*time.Millisecond,
		"%s, process %d, still runs", program, pid)
}

func kill(t *testing.T, pid int) {
	t.Helper()
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := postgres.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// ask runs a statement of one row and one column.
func ask[T any](t *testing.T, url, sql string) T {
	t.Helper()
	conn := connect(t, url)
	defer conn.Close(context.Background())
	var value T
	require.NoError(t, conn.QueryRow(t.Context(), sql).Scan(&value))
	return value
}

func tell(t *testing.T, url, sql string) {
	t.Helper()
	conn := connect(t, url)
	defer conn.Close(context.Background())
	_, err := conn.Exec(t.Context(), sql)
	require.NoError(t, err)
}

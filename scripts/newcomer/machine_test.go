package newcomer

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/internal/local"
)

// shell has libpq's variables, each with a value that would break a connection.
var shell = []string{
	"PGAPPNAME=psql", "PGCHANNELBINDING=require", "PGCLIENTENCODING=SQL_ASCII", "PGCONNECT_TIMEOUT=soon", "PGDATA=/nonexistent",
	"PGDATABASE=hedge", "PGDATESTYLE=German", "PGHOST=db.example", "PGMAXPROTOCOLVERSION=2.0", "PGMINPROTOCOLVERSION=9.9",
	"PGOPTIONS=-c nosuch=1", "PGPASSFILE=/nonexistent", "PGPASSWORD=wrong", "PGPORT=1", "PGREQUIREAUTH=none", "PGSERVICE=prod",
	"PGSERVICEFILE=/nonexistent", "PGSSLCERT=/nonexistent", "PGSSLCERTMODE=require", "PGSSLKEY=/nonexistent", "PGSSLMODE=verify-full",
	"PGSSLNEGOTIATION=direct", "PGSSLROOTCERT=/nonexistent", "PGSSLSNI=0", "PGTARGETSESSIONATTRS=standby", "PGTZ=Mars/Olympus", "PGUSER=mole",
}

// fakeGo stands for the Go tool, whose caches an ordinary user would have: it puts the programs, built before, where
// the lab wants them.
const fakeGo = `#!/bin/sh
while [ "$1" != -o ]; do shift; done
cp %s/* "$2"
`

// machine is a checkout and the programs made from it.
type machine struct {
	dir      string // everything lies below
	checkout string
	tests    string              // a package's tests
	owner    *syscall.Credential // of the checkout; nil: the present user
	offset   int
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	dir, err := os.MkdirTemp("/var/tmp", "banyan-newcomer-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	m := &machine{
		dir: dir, checkout: filepath.Join(dir, "checkout"), tests: filepath.Join(dir, "postgres.test"), offset: 20_000 + os.Getpid()%10_000,
	}
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	for _, args := range [][]string{
		{"go", "build", "-o", filepath.Join(dir, "lab"), "./scripts/lab"},
		{"go", "build", "-o", filepath.Join(dir, "programs") + "/", "./monolith", "./scripts/outside"},
		{"go", "test", "-c", "-o", m.tests, "./internal/postgres"},
		// What the lab reads of a checkout: where it is.
		{"mkdir", "-p", m.checkout, filepath.Join(dir, "bin"), filepath.Join(dir, "home")},
		{"cp", "go.mod", m.checkout},
	} {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = root
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%v: %s", args, out)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "bin", "go"), fmt.Appendf(nil, fakeGo, filepath.Join(dir, "programs")), 0o755))
	require.NoError(t, exec.Command("chmod", "-R", "a+rX", dir).Run())
	if os.Getuid() == 0 {
		nobody, err := user.Lookup("nobody")
		require.NoError(t, err)
		uid, err := strconv.Atoi(nobody.Uid)
		require.NoError(t, err)
		gid, err := strconv.Atoi(nobody.Gid)
		require.NoError(t, err)
		m.owner = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid), Groups: []uint32{uint32(gid)}}
		require.NoError(t, os.Chown(m.checkout, uid, gid))
		require.NoError(t, os.Chown(filepath.Join(dir, "home"), uid, gid))
	}
	return m
}

// command is one that a user types into a shell with a umask.
func (m *machine) command(who *syscall.Credential, umask string, env []string, args ...string) *exec.Cmd {
	cmd := exec.Command("/bin/sh", append([]string{"-c", "umask " + umask + `; exec "$@"`, "sh"}, args...)...)
	cmd.Dir = m.checkout
	cmd.Env = append([]string{"HOME=" + filepath.Join(m.dir, "home"), "PATH=" + filepath.Join(m.dir, "bin") + ":" + os.Getenv("PATH")}, env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who}
	return cmd
}

// lab is a running lab up.
type lab struct {
	cmd  *exec.Cmd
	said *bytes.Buffer
	done chan error
}

// up starts a lab and waits until its shop is open; the error is what it said instead.
func (m *machine) up(t *testing.T, who *syscall.Credential, umask string, offset int, env []string, args ...string) (*lab, error) {
	t.Helper()
	port := strconv.Itoa(m.offset + offset)
	cmd := m.command(who, umask, env, append([]string{filepath.Join(m.dir, "lab"), "up", "--only", "monolith", "--port-offset", port}, args...)...)
	l := &lab{cmd: cmd, said: &bytes.Buffer{}, done: make(chan error, 1)}
	cmd.Stderr = l.said
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	open := make(chan bool, 1)
	go func() {
		var text strings.Builder
		part := make([]byte, 4096)
		for err == nil {
			var n int
			n, err = out.Read(part)
			text.Write(part[:n])
			if strings.Contains(text.String(), "The shop is open") {
				select {
				case open <- true:
				default:
				}
			}
		}
		l.done <- cmd.Wait()
	}()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	select {
	case <-open:
		return l, nil
	case <-l.done:
		return nil, fmt.Errorf("lab up: %s", l.said)
	case <-time.After(3 * time.Minute):
		return nil, fmt.Errorf("lab up took three minutes: %s", l.said)
	}
}

func (l *lab) stop(t *testing.T) {
	t.Helper()
	require.NoError(t, l.cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, <-l.done, "%s", l.said)
}

// serverOfLocaleC runs a PostgreSQL server whose every database has locale C, and returns its superuser's URL.
func (m *machine) serverOfLocaleC(t *testing.T) string {
	t.Helper()
	install, err := local.FindPostgres(t.Context())
	require.NoError(t, err)
	data := filepath.Join(m.dir, "home", "c")
	initdb := m.command(m.owner, "077", nil, filepath.Join(install.Bin, "initdb"), "--pgdata="+data, "--username=postgres",
		"--auth=trust", "--locale=C", "--encoding=SQL_ASCII", "--no-sync")
	out, err := initdb.CombinedOutput()
	require.NoError(t, err, "%s", out)
	port, err := local.FreePort()
	require.NoError(t, err)
	process, err := local.Start(t.Context(), local.Command{
		Name: "PostgreSQL", Path: filepath.Join(install.Bin, "postgres"), User: m.owner, Dir: data, Env: local.PostgresEnv(),
		Args: []string{"-D", data, "-c", "port=" + strconv.Itoa(port), "-c", "listen_addresses=127.0.0.1",
			"-c", "unix_socket_directories=", "-c", "fsync=off"},
		StopSignals: []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT},
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = process.Stop(context.Background()) })
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}, time.Minute, 50*time.Millisecond)
	return "postgres://postgres@127.0.0.1:" + strconv.Itoa(port) + "/postgres"
}

// packageTests runs a package's tests, which need a server, with temporary files in a folder.
func (m *machine) packageTests(who *syscall.Credential, umask, tmp string, env []string) *exec.Cmd {
	return m.command(who, umask, append([]string{"TMPDIR=" + tmp}, env...), m.tests, "-test.run=^TestCheckVersion$")
}

func (m *machine) test(t *testing.T, who *syscall.Credential, umask, tmp string, env []string) {
	t.Helper()
	out, err := m.packageTests(who, umask, tmp, env).CombinedOutput()
	require.NoError(t, err, "with %v: %s", env, out)
	require.Contains(t, string(out), "PASS")
}

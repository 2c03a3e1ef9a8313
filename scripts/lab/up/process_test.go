package up

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fake builds the program of testdata/fake, once.
var fake = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "lab-fake-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "fake")
	out, err := exec.Command("go", "build", "-buildvcs=false", "-o", path, "./testdata/fake").CombinedOutput()
	if err != nil {
		os.Stderr.Write(out)
	}
	return path, err
})

// fleet is a lab of nothing but fakes.
func fleet(t *testing.T) *Lab {
	t.Helper()
	dir := t.TempDir()
	l := &Lab{
		options:  Options{Dir: dir},
		progress: newProgress(nil),
		settings: &settings{dir: dir, secrets: &secrets{}},
		sides:    []string{Monolith},
	}
	l.settings.secrets.complete()
	l.broken, l.fail = context.WithCancelCause(context.Background())
	l.life, l.end = context.WithCancel(context.Background())
	require.NoError(t, l.takeFolder())
	require.NoError(t, makeFolders(dir))
	var err error
	l.reserved, err = reserve(t.Context(), l.names(), 0, true)
	require.NoError(t, err)
	l.settings.addresses = l.reserved.addresses
	l.settings.databases = map[string]string{Monolith: "postgres://postgres:secret@127.0.0.1:1/monolith"}

	program, err := fake()
	require.NoError(t, err)
	require.NoError(t, os.Link(program, filepath.Join(dir, "bin", "monolith")))
	return l
}

func stop(t *testing.T, l *Lab) {
	t.Helper()
	require.NoError(t, l.Stop(context.WithoutCancel(t.Context())))
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

func TestProcess(t *testing.T) {
	t.Parallel()

	t.Run("runs until the lab stops it", func(t *testing.T) {
		t.Parallel()
		l := fleet(t)
		p := l.program("monolith")
		require.NoError(t, p.run(t.Context()))
		pid := p.PID()
		require.True(t, alive(pid))

		stop(t, l)
		require.False(t, alive(pid))
		require.Zero(t, p.PID())
	})

	t.Run("that dies by itself ends the lab, which says which one and what it last said", func(t *testing.T) {
		t.Parallel()
		l := fleet(t)
		p := l.program("monolith")
		require.NoError(t, p.run(t.Context()))
		_, _ = http.Post(p.OpsURL+"/die", "", nil)

		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		err := l.Wait(ctx)
		var crash *Crash
		require.ErrorAs(t, err, &crash)
		require.Equal(t, "monolith", crash.Process)
		require.ErrorContains(t, err, "monolith died (exit status 4)")
		require.ErrorContains(t, err, "listening")
		require.ErrorContains(t, err, filepath.Join(l.options.Dir, "logs", "monolith.log"))
		stop(t, l)
	})

	t.Run("that dies before it is ready is reported with the end of its log", func(t *testing.T) {
		t.Parallel()
		l := fleet(t)
		l.settings.extra = map[string][]string{"monolith": {"DIE=at once"}}
		err := l.program("monolith").run(t.Context())
		require.ErrorContains(t, err, "monolith died (exit status 3)")
		require.ErrorContains(t, err, "six: no schema here")
		require.NotContains(t, err.Error(), "one")
		stop(t, l)
	})

	t.Run("that does not get ready in time is reported with what it waits for", func(t *testing.T) {
		t.Parallel()
		l := fleet(t)
		l.settings.extra = map[string][]string{"monolith": {"READY=never"}}
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		err := l.program("monolith").run(ctx)
		require.ErrorContains(t, err, "monolith did not get ready")
		require.ErrorContains(t, err, "the database is away")
		stop(t, l)
	})

	t.Run("that is killed on purpose is no accident, and can be started again", func(t *testing.T) {
		t.Parallel()
		l := fleet(t)
		p := l.program("monolith")
		require.NoError(t, p.run(t.Context()))
		require.ErrorContains(t, p.Restart(t.Context()), "it is running")
		before := p.PID()

		p.Kill9()
		require.False(t, alive(before))
		require.Zero(t, p.PID())
		require.NoError(t, l.broken.Err())

		require.NoError(t, p.Restart(t.Context()))
		require.NotEqual(t, before, p.PID())
		running, err := Running(l.options.Dir)
		require.NoError(t, err)
		require.Equal(t, p.PID(), running.Processes[0].PID, "the state names the new process")
		stop(t, l)
	})

	t.Run("that is paused answers nothing, and goes on afterwards", func(t *testing.T) {
		t.Parallel()
		l := fleet(t)
		p := l.program("monolith")
		require.NoError(t, p.run(t.Context()))
		before := p.PID()
		require.NoError(t, p.Pause())
		require.Eventually(t, func() bool { // the signal takes a moment to arrive
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			_, err := ask(ctx, p.probe)
			return errors.Is(err, context.DeadlineExceeded)
		}, 10*time.Second, time.Millisecond)
		require.NoError(t, p.Continue())
		_, err := ask(t.Context(), p.probe)
		require.NoError(t, err)
		require.Equal(t, before, p.PID())
		stop(t, l)
	})

	t.Run("that is ended by a signal is no accident, and starts again with what was set meanwhile", func(t *testing.T) {
		t.Parallel()
		l := fleet(t)
		p := l.program("monolith")
		require.NoError(t, p.run(t.Context()))
		before := p.PID()
		require.NoError(t, p.End(syscall.SIGQUIT))
		require.False(t, alive(before))
		require.ErrorContains(t, p.Pause(), "it is not running")
		require.NoError(t, l.broken.Err())

		l.SetEnv("monolith", "SWEEP_AFTER=1s")
		require.NoError(t, p.Restart(t.Context()))
		given, err := ask(t.Context(), p.OpsURL+"/given")
		require.NoError(t, err)
		require.Contains(t, given, "SWEEP_AFTER=1s")
		stop(t, l)
	})

	t.Run("is told its secrets by its environment, and only there", func(t *testing.T) {
		t.Parallel()
		l := fleet(t)
		p := l.program("monolith")
		require.NoError(t, p.run(t.Context()))
		given, err := ask(t.Context(), p.OpsURL+"/given")
		require.NoError(t, err)
		require.Contains(t, given, l.settings.secrets.Roles["monolith_app"])

		line, err := exec.Command("ps", "-ww", "-o", "args=", "-A").Output()
		require.NoError(t, err)
		require.Contains(t, string(line), filepath.Join(l.options.Dir, "bin", "monolith"))
		for _, secret := range l.settings.secrets.all() {
			require.NotContains(t, string(line), secret)
		}
		stop(t, l)
	})
}

// all are the values of the secrets.
func (s *secrets) all() []string {
	var values []string
	for _, group := range []map[string]string{s.Roles, s.NATS, s.Merchants, s.Seeds} {
		for _, value := range group {
			values = append(values, value)
		}
	}
	return values
}

// TestWithout starts a process in the place of the lab, with what the lab has written down.
func TestWithout(t *testing.T) {
	t.Parallel()
	l := fleet(t)
	l.options.Without = Monolith
	process := l.program(Monolith)
	running := make(chan error, 1)
	go func() { running <- process.run(t.Context()) }()

	file := filepath.Join(l.options.Dir, "monolith.env")
	require.Eventually(t, func() bool { _, err := os.Stat(file); return err == nil }, 5*time.Second, time.Millisecond)
	select {
	case err := <-running:
		require.FailNow(t, "it went on before the process was ready", "%v", err)
	case <-time.After(300 * time.Millisecond):
	}
	cmd := exec.Command("sh", "-c", `set -a; . "$0"; exec "$1"`, file, filepath.Join(l.options.Dir, "bin", "monolith"))
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	require.NoError(t, <-running)
	require.Zero(t, process.PID(), "it is not the lab's to stop")
	stop(t, l)
}

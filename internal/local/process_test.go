package local

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// shell starts a script that has written "ready" to its log.
func shell(t *testing.T, script string, grace time.Duration) (*Process, string) {
	t.Helper()
	log := filepath.Join(t.TempDir(), "log")
	p, err := Start(t.Context(), Command{
		Name: "script", Path: "/bin/sh", Args: []string{"-c", script}, Log: log, Grace: grace,
	})
	require.NoError(t, err)
	t.Cleanup(p.Kill)
	require.Eventually(t, func() bool { return strings.Contains(read(t, log), "ready") }, 5*time.Second, 5*time.Millisecond)
	return p, log
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(content)
}

func TestProcess(t *testing.T) {
	t.Parallel()

	t.Run("its end and its exit status are told", func(t *testing.T) {
		t.Parallel()
		p, log := shell(t, "echo ready; echo trouble >&2; exit 3", time.Second)
		<-p.Done()
		require.ErrorContains(t, p.Err(), "exit status 3")
		require.Equal(t, "ready\ntrouble\n", read(t, log))
		require.NoError(t, p.Stop(t.Context()), "stopping what has ended is no error")
	})

	t.Run("a stop lets it finish", func(t *testing.T) {
		t.Parallel()
		p, log := shell(t, "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done", 5*time.Second)
		require.NoError(t, p.Stop(t.Context()))
		require.NoError(t, p.Err())
		require.Contains(t, read(t, log), "bye")
	})

	t.Run("one that ignores the stop is killed after its grace", func(t *testing.T) {
		t.Parallel()
		p, _ := shell(t, "trap '' TERM; echo ready; while :; do sleep 0.05; done", 200*time.Millisecond)
		require.ErrorContains(t, p.Stop(t.Context()), "killed")
		requireGone(t, p.PID(), "sh")
	})

	t.Run("a stop ends with its context", func(t *testing.T) {
		t.Parallel()
		p, _ := shell(t, "trap '' TERM; echo ready; while :; do sleep 0.05; done", time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, p.Stop(ctx), context.DeadlineExceeded)
	})

	t.Run("what it has started goes with it", func(t *testing.T) {
		t.Parallel()
		p, log := shell(t, "sleep 300 & echo $!; echo ready; wait", time.Second)
		grandchild, err := strconv.Atoi(strings.Fields(read(t, log))[0])
		require.NoError(t, err)
		p.Kill()
		requireGone(t, grandchild, "sleep")
	})

	t.Run("the watchdog goes with it", func(t *testing.T) {
		t.Parallel()
		p, _ := shell(t, "echo ready", time.Second)
		<-p.Done()
		requireGone(t, p.watchdog.group(), "watchdog")
	})

	t.Run("it does not outlive a parent that is killed", func(t *testing.T) {
		t.Parallel()
		parent := startChild(t, "process", "")
		process, watchdog := parent.pids(t)
		require.True(t, runsWith(process, "sleep", "300"))
		parent.kill()
		requireGone(t, process, "sleep")
		requireGone(t, watchdog, "watchdog")
	})

	t.Run("a program that is not there is an error", func(t *testing.T) {
		t.Parallel()
		_, err := Start(t.Context(), Command{Name: "ghost", Path: "/nowhere/ghost"})
		require.ErrorContains(t, err, "start ghost")
	})
}

func TestCheckPort(t *testing.T) {
	t.Parallel()
	// A port that was free may be taken by any process the moment after.
	require.Eventually(t, func() bool {
		port, err := FreePort()
		return err == nil && CheckPort(port) == nil
	}, 5*time.Second, time.Millisecond)

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	require.ErrorContains(t, CheckPort(listener.Addr().(*net.TCPAddr).Port), "choose another port")
}

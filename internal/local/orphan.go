package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// recover puts right what a crash has left in the cluster. It says whether there was anything: the
// pid file, which a server removes when it stops in order.
func (c *cluster) recover(ctx context.Context) (crashed bool, err error) {
	pidFile := filepath.Join(c.data, "postmaster.pid")
	content, err := os.ReadFile(pidFile)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read the server's pid file: %w", err)
	}
	first, rest, _ := bytes.Cut(content, []byte("\n"))
	pid, err := strconv.Atoi(string(bytes.TrimSpace(first)))
	if err != nil || pid <= 0 {
		// The server refuses to start on a file that it can't read: the disk was full, most likely.
		if err := os.Remove(pidFile); err != nil {
			return true, fmt.Errorf("remove a broken pid file: %w", err)
		}
		return true, nil
	}

	if runsWith(pid, "postgres", c.data) {
		if err := stopOrphan(ctx, pid, "postgres", c.data, syscall.SIGINT, syscall.SIGQUIT); err != nil {
			return true, fmt.Errorf("stop the server that still runs on %s: %w", c.data, err)
		}
		_, err := os.Stat(pidFile)
		return err == nil, nil
	}
	if syscall.Kill(pid, 0) != nil {
		return true, nil // Nobody has this id: the server will see so by itself.
	}
	// The id belongs to some other program now, and the server would take that for a rival. Its parent,
	// it knows, is none, so the file gets our id. It isn't removed: the rest of it is what the server
	// finds a dead one's surviving children by.
	if err := os.WriteFile(pidFile, append([]byte(strconv.Itoa(os.Getpid())+"\n"), rest...), 0o600); err != nil {
		return true, fmt.Errorf("correct a stale pid file: %w", err)
	}
	return true, nil
}

// runsWith says whether a process is alive, is this program and has this path among its arguments.
func runsWith(pid int, program, path string) bool {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil { // macOS has no /proc
		line, err = exec.Command("ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	}
	return err == nil && strings.Contains(string(line), program) && strings.Contains(string(line), path)
}

// stopOrphan stops a process that an earlier run has left behind, known by its program and a path
// among its arguments.
func stopOrphan(ctx context.Context, pid int, program, path string, signals ...syscall.Signal) error {
	for _, signal := range append(signals, syscall.SIGKILL) {
		if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
		for deadline := time.Now().Add(defaultGrace); time.Now().Before(deadline); {
			if !runsWith(pid, program, path) {
				return nil
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	return fmt.Errorf("process %d survives every signal", pid)
}

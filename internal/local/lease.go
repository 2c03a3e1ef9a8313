package local

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// lease keeps a shared process alive: a named pipe that every user holds open for writing and that
// the process's watchdog reads.
type lease struct {
	path   string
	linger time.Duration // how long the process stays after the last user
	hold   *held
	read   *os.File // the watchdog's end; only where the lease was made
}

var errNoLease = errors.New("nobody reads the named pipe")

// newLease makes the named pipe and opens both ends.
func newLease(path string, linger time.Duration) (*lease, error) {
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		return nil, fmt.Errorf("make the named pipe %s: %w", path, err)
	}
	// Opened without waiting, or each end would wait for the other.
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open the named pipe %s: %w", path, err)
	}
	hold, err := openLease(path)
	if err != nil {
		_ = syscall.Close(fd)
		return nil, err
	}
	// The flag is the watchdog's too, whose reads have to wait.
	if err := syscall.SetNonblock(fd, false); err != nil {
		_ = syscall.Close(fd)
		hold.Close()
		return nil, fmt.Errorf("open the named pipe %s: %w", path, err)
	}
	return &lease{path: path, linger: linger, hold: hold, read: os.NewFile(uintptr(fd), path)}, nil
}

// joinLease holds the lease of a running process. Callers exclude each other by a lock. The error
// is errNoLease if the watchdog has gone, or is about to stop the process.
func joinLease(path string) (*lease, error) {
	hold, err := openLease(path)
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintln(hold, os.Getpid()); err != nil {
		hold.Close()
		return nil, errNoLease
	}
	// The watchdog may have been closing the door just now. It reads the line and opens it again.
	for range 500 {
		if _, err := os.Stat(path); err == nil {
			return &lease{path: path, hold: hold}, nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	hold.Close()
	return nil, errNoLease
}

func openLease(path string) (*held, error) {
	fd, err := syscall.Open(path, syscall.O_WRONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if errors.Is(err, syscall.ENXIO) || errors.Is(err, fs.ErrNotExist) {
		return nil, errNoLease
	}
	if err != nil {
		return nil, fmt.Errorf("open the named pipe %s: %w", path, err)
	}
	return hold(fd), nil
}

func (l *lease) leave() { l.hold.Close() }

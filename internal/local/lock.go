package local

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"
)

var errLocked = errors.New("locked by another process")

// lockFile takes an exclusive lock on a file, made if missing, and gives up with errLocked after
// patience. Closing the file frees the lock, and so does the end of the process.
func lockFile(ctx context.Context, path string, patience time.Duration) (*held, error) {
	fd, err := syscall.Open(path, syscall.O_CREAT|syscall.O_RDWR|syscall.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	file := hold(fd)
	deadline := time.Now().Add(patience)
	for {
		err := syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return file, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			file.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		if time.Now().After(deadline) {
			file.Close()
			return nil, fmt.Errorf("lock %s: %w", path, errLocked)
		}
		select {
		case <-ctx.Done():
			file.Close()
			return nil, fmt.Errorf("lock %s: %w", path, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

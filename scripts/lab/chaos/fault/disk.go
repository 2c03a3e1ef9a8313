package fault

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// fillDisk leaves no byte on the small disk that a server has for itself, and makes room again after a while. A server
// that has ended over it, or that has given up, is started again: that much an operator has to do who makes room.
func (w *World) fillDisk(ctx context.Context, s Step, while While) (Made, error) {
	folder := w.Disks[s.Target]
	if folder == "" {
		return Made{}, fmt.Errorf("%s has no disk of its own", s.Target)
	}
	process := w.Lab.Process(s.Target)
	filling := filepath.Join(folder, "filling")
	var at time.Time
	ended, err := process.Excused(func() error {
		err := fill(filling)
		if err == nil {
			err = while(ctx, s.For)
		}
		at = time.Now()
		return errors.Join(err, os.Remove(filling))
	})
	if err != nil {
		return Made{}, err
	}
	note := "the server went on by itself"
	switch {
	case ended:
		note = "the server had ended, and was started again"
	case s.Target == NATS: // it turns its streams off for good
		process.Kill9()
		ended, note = true, "the server had turned its streams off, and was started again"
	}
	if ended {
		if err := Restart(ctx, process); err != nil {
			return Made{}, fmt.Errorf("start %s again: %w", s.Target, err)
		}
	}
	return Made{Ended: at, Note: note}, nil
}

// fill writes until there is no room. It refuses to on a disk that is not a small one.
func fill(path string) error {
	const small = 4 << 30
	var disk syscall.Statfs_t
	if err := syscall.Statfs(filepath.Dir(path), &disk); err != nil {
		return fmt.Errorf("look how large the disk is: %w", err)
	}
	if size := int64(disk.Blocks) * int64(disk.Bsize); size > small {
		return fmt.Errorf("the disk of %s is not a small one of the lab's own, and is left alone", path)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("fill the disk: %w", err)
	}
	defer file.Close()
	for chunk := make([]byte, 1<<20); len(chunk) > 0; {
		if _, err := file.Write(chunk); errors.Is(err, syscall.ENOSPC) {
			chunk = chunk[:len(chunk)/2]
		} else if err != nil {
			return fmt.Errorf("fill the disk: %w", err)
		}
	}
	return nil
}

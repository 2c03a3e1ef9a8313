package up

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"banyan/internal/local"
)

// Wipe removes the data, logs and programs of a lab that does not run, wherever they are. The secrets stay.
func Wipe(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("remove the lab's data: %w", err)
	}
	lock, err := lockFolder(dir, 0, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, errHeld):
		return fmt.Errorf("remove the lab's data: the lab in %s is running: stop it first", dir)
	case err != nil:
		return err
	}
	defer lock.Close()
	return errors.Join(wipeData(dir), removeAll(dir, "bin", "logs", "logs.last"))
}

// wipeData removes what runs have left in the databases, the broker and the world outside. The caller
// holds the folder's lock.
func wipeData(dir string) error {
	// A server that may not enter this folder has its cluster elsewhere, and a link leads there
	// (internal/local). Only what is certainly such a place is removed.
	elsewhere, err := os.Readlink(filepath.Join(postgresDir(dir), "elsewhere"))
	if err == nil && strings.HasPrefix(filepath.Base(elsewhere), "banyan-") {
		if err := os.RemoveAll(elsewhere); err != nil {
			return fmt.Errorf("remove the lab's data: %w", err)
		}
	}
	return removeAll(dir, "postgres", "nats", "outside")
}

func removeAll(dir string, names ...string) error {
	for _, name := range names {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("remove the lab's data: %w", err)
		}
	}
	return nil
}

// makeFolders makes the folders that processes expect, and moves the logs of the last run out of the way, so
// that what a crash has said can still be read.
func makeFolders(dir string) error {
	logs := filepath.Join(dir, "logs")
	if err := os.RemoveAll(logs + ".last"); err != nil {
		return fmt.Errorf("remove old logs: %w", err)
	}
	if err := os.Rename(logs, logs+".last"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("keep the last run's logs: %w", err)
	}
	for _, name := range []string{"bin", "logs", "outside"} {
		if err := local.MakeFolder(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("make the lab's folders: %w", err)
		}
	}
	// The servers keep their logs beside their data; links show them with the others.
	for name, target := range map[string]string{
		"postgres.log": "../postgres/postgres.log",
		"nats.log":     "../nats/nats.log",
	} {
		if err := os.Symlink(target, filepath.Join(logs, name)); err != nil {
			return fmt.Errorf("link to a server's log: %w", err)
		}
	}
	return nil
}

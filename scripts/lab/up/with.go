package up

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// stopWithin bounds the stop of all processes of a lab; what still runs then is killed. A lab with two instances of each
// service needs the most.
const stopWithin = time.Minute

// With starts a lab, lets do work on it, and stops it. The context of do ends when ctx does, and also when a process dies
// that nobody asked to end; With then returns that [Crash], since any other error follows from it.
func With(ctx context.Context, options Options, do func(context.Context, *Lab) error) (err error) {
	lab, err := Start(ctx, options)
	if err != nil {
		return err
	}
	// The stop has its own deadline: a run that was interrupted must not leave processes behind.
	defer func() {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
		defer cancel()
		err = errors.Join(err, lab.Stop(stopping))
	}()
	working, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stopListening := context.AfterFunc(lab.broken, func() { cancel(context.Cause(lab.broken)) })
	defer stopListening()

	err = do(working, lab)
	if crash := context.Cause(lab.broken); crash != nil {
		return crash
	}
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// Scratch is [With] for a lab whose data nobody wants afterwards: on free ports, in a [Folder] of its own, with a small
// data set if the options name none.
func Scratch(ctx context.Context, options Options, do func(context.Context, *Lab) error) error {
	return Folder(ctx, nil, func(dir string) error {
		options.Dir, options.RandomPorts = dir, true
		if options.SeedSize == "" {
			options.SeedSize = "small"
		}
		return With(ctx, options, do)
	})
}

// Folder makes a temporary folder, lets do start labs in it or in folders below it, and removes it with everything that
// those labs have kept elsewhere. If do fails and there is an out, the folder stays, to look into, and out is told where it
// is. A run that was interrupted has nothing to look into.
func Folder(ctx context.Context, out io.Writer, do func(dir string) error) error {
	dir, err := os.MkdirTemp("", "banyan-lab-")
	if err != nil {
		return err
	}
	// PostgreSQL runs as another user when this program is root, and has to get through to its data.
	if err := os.Chmod(dir, 0o711); err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	if err := do(dir); err != nil {
		if out != nil && ctx.Err() == nil {
			fmt.Fprintf(out, "Logs and data are kept in %s\n", dir)
			return err
		}
		return errors.Join(err, removeFolder(dir))
	}
	return removeFolder(dir)
}

func removeFolder(dir string) error {
	var err error
	for _, pattern := range []string{"lock", "*/lock"} {
		locks, _ := filepath.Glob(filepath.Join(dir, pattern)) // the pattern is a good one
		for _, lock := range locks {
			err = errors.Join(err, Wipe(filepath.Dir(lock)))
		}
	}
	return errors.Join(err, os.RemoveAll(dir))
}

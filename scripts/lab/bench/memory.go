package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"banyan/scripts/lab/up"
)

// longestMemory is how long the shop remembers anything without being asked again: who is signed in, for 30 s. Best
// Sellers are remembered for 25 s, other lists for half a second.
const longestMemory = 31 * time.Second

// pause stops processes by SIGSTOP until goOn, which may be called more than once. Two monoliths on one database
// share what is put off, such as mail: the other side's would do a part of a round's work, or look for some.
func pause(processes []up.ProcessState) (goOn func(), err error) {
	var stopped []int
	for _, process := range processes {
		if failed := syscall.Kill(process.PID, syscall.SIGSTOP); failed != nil {
			err = errors.Join(err, fmt.Errorf("stop %s, which would work on the same data: %w", process.Name, failed))
			continue
		}
		stopped = append(stopped, process.PID)
	}
	return sync.OnceFunc(func() {
		for _, pid := range stopped {
			_ = syscall.Kill(pid, syscall.SIGCONT) // it fails for a process that is gone, of which the lab tells
		}
	}), err
}

// forget waits until no process remembers anything, so that every side begins the open loop alike. Their memories are not
// of one age otherwise, and one list of Best Sellers that has to be made costs as much as a hundred that are remembered.
func (r *runner) forget(ctx context.Context) error {
	if !r.options.Forget {
		return nil
	}
	r.say("waiting %s until no side remembers what it was asked for before", longestMemory)
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(longestMemory):
		return nil
	}
}

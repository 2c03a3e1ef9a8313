package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"banyan/scripts/lab/up"
)

type downCommand struct{}

func (c *downCommand) Run(ctx context.Context, line *commands, to streams) error {
	state, err := up.Running(line.Dir)
	if err != nil && (!errors.Is(err, up.ErrNotReady) || state.PID == 0) {
		return err
	}
	if err := syscall.Kill(state.PID, syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop the lab (pid %d): %w", state.PID, err)
	}
	ctx, cancel := context.WithTimeout(ctx, stopWithin+5*time.Second)
	defer cancel()
	for {
		if _, err := up.Running(line.Dir); errors.Is(err, up.ErrNotRunning) {
			fmt.Fprintln(to.err, "Stopped. The data stay; lab up goes on from here.")
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the lab (pid %d) does not stop: end it with kill -9 %[1]d, which also ends its processes", state.PID)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

package rolling

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"banyan/scripts/lab/shop"
	"banyan/scripts/lab/up"
)

const (
	stopWithin = 40 * time.Second       // for one process
	lookAround = 500 * time.Millisecond // between two, as anybody would take who looks whether all is well
)

// restart asks processes to stop, one after the other, and starts each again before the next one's turn.
func (r *run) restart(ctx context.Context, phase *Phase, processes ...string) error {
	for _, name := range processes {
		process := r.lab.Process(name)
		logged := size(process.Log)
		began := time.Now()
		stopping, cancel := context.WithTimeout(ctx, stopWithin)
		err := process.Stop(stopping)
		cancel()
		stopped := time.Now()
		if err == nil {
			err = stoppedInOrder(process, logged)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			r.book.fail(phase, "stop "+name, err)
		}
		if err := process.Restart(ctx); err != nil {
			return err
		}
		r.book.restarted(phase, Restart{name, stopped.Sub(began), time.Since(stopped)})
		if err := shop.Pause(ctx, lookAround); err != nil {
			return err
		}
	}
	return nil
}

// stoppedInOrder looks at the last that a process has to say. One that stops in order says so; an error would come after it.
func stoppedInOrder(process *up.Process, from int64) error {
	content, err := os.ReadFile(process.Log)
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSpace(string(content[from:])), "\n")
	if last := lines[len(lines)-1]; !strings.Contains(last, `"msg":"stopped"`) {
		return fmt.Errorf("it did not stop in order: %s", last)
	}
	return nil
}

func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// restartAll restarts everything, services in an order of chance and their instances one after the other.
func (r *run) restartAll(ctx context.Context, phase *Phase) error {
	fleet := slices.Clone(services())
	r.random.Shuffle(len(fleet), func(i, j int) { fleet[i], fleet[j] = fleet[j], fleet[i] })
	return r.restartServices(ctx, phase, fleet...)
}

// restartServices restarts one service after the other. A quick run takes all at the same time, though never two instances
// of one.
func (r *run) restartServices(ctx context.Context, phase *Phase, services ...string) error {
	group, ctx := errgroup.WithContext(ctx)
	if !r.options.Quick {
		group.SetLimit(1)
	}
	for _, service := range services {
		group.Go(func() error { return r.restart(ctx, phase, instancesOf(service)...) })
	}
	return group.Wait()
}

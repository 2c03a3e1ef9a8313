package ledger

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"banyan/scripts/lab/bench/drive"
	"banyan/scripts/lab/gauge"
	"banyan/scripts/lab/up"
)

// meter reads the CPU time of all of a lab.
type meter struct {
	lab *up.Lab
}

// used is what each thread of the lab's processes has used so far, by thread. Threads that come and go within a
// measurement are missed; neither Go's nor PostgreSQL's do while they have work.
func (m meter) used() (map[string]time.Duration, error) {
	used := map[string]time.Duration{}
	for _, process := range m.lab.State().Processes {
		if process.PID == 0 {
			continue
		}
		pids := []int{process.PID}
		if process.Name == "postgres" {
			children, err := gauge.Children(process.PID)
			if err != nil {
				return nil, err
			}
			pids = append(pids, children...)
		}
		for _, pid := range pids {
			// To the nanosecond, where /proc/<pid>/stat has steps of 10 ms, as much as several requests take.
			files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
			if err != nil {
				return nil, err
			}
			for _, file := range files {
				content, err := os.ReadFile(file)
				if err != nil {
					continue // it has ended just now
				}
				first, _, _ := strings.Cut(string(content), " ")
				nanoseconds, err := strconv.ParseInt(first, 10, 64)
				if err != nil {
					return nil, fmt.Errorf("read %s: %w", file, err)
				}
				used[file] = time.Duration(nanoseconds)
			}
		}
	}
	if len(used) == 0 {
		return nil, fmt.Errorf("this system does not tell what its threads have used: the ledger needs Linux with /proc/<pid>/schedstat")
	}
	return used, nil
}

// between is what was used from one look to the next.
func between(before, after map[string]time.Duration) (sum time.Duration) {
	for thread, now := range after {
		sum += now - before[thread]
	}
	return sum
}

const (
	look       = 250 * time.Millisecond
	quiet      = 0.10 // of a CPU
	restWithin = 30 * time.Second
)

// rest waits until the lab uses less than a tenth of a CPU, twice in turn, and returns what it had used by then. A lab that
// does not come to rest is an error: what it is busy with would be taken for the cost of what was measured, or subtracted
// from it.
func (m meter) rest(ctx context.Context) (map[string]time.Duration, error) {
	last, err := m.used()
	at, calm := time.Now(), 0
	for limit := time.Now().Add(restWithin); err == nil; {
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(look):
		}
		var next map[string]time.Duration
		if next, err = m.used(); err != nil {
			break
		}
		now := time.Now() // on a busy machine a look takes its time
		if between(last, next).Seconds() < quiet*now.Sub(at).Seconds() {
			calm++
		} else {
			calm = 0
		}
		last, at = next, now
		switch {
		case calm == 2:
			return last, nil
		case time.Now().After(limit):
			return nil, fmt.Errorf("the lab did not come to rest within %s: the machine is too busy to measure on", restWithin)
		}
	}
	return nil, err
}

// idle is what the lab uses per second while nobody asks for anything.
func (m meter) idle(ctx context.Context) (float64, error) {
	before, err := m.rest(ctx)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	select {
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	case <-time.After(time.Second):
	}
	after, err := m.used()
	return between(before, after).Seconds() / time.Since(began).Seconds(), err
}

// measure sends requests one after the other, and waits for all that follows.
func (m meter) measure(ctx context.Context, base string, requests []drive.Request) (Cost, error) {
	idle, err := m.idle(ctx)
	if err != nil {
		return Cost{}, err
	}
	before, err := m.used()
	if err != nil {
		return Cost{}, err
	}
	began := time.Now()
	result, err := drive.Closed(ctx, drive.Load{
		Base: base, Clients: 1, Count: len(requests), Request: func(n int) drive.Request { return requests[n] },
	})
	if err == nil {
		err = result.Good()
	}
	if err != nil {
		return Cost{}, err
	}
	after, err := m.rest(ctx)
	if err != nil {
		return Cost{}, err
	}
	cpu := between(before, after).Seconds() - idle*time.Since(began).Seconds()
	return Cost{CPU: 1e6 * cpu / float64(len(requests)), Latency: float64(result.Served.Mean().Microseconds())}, nil
}

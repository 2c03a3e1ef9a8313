package bench

import (
	"context"
	"maps"
	"sync"
	"time"

	"banyan/scripts/lab/gauge"
)

// scales weigh the processes of the lab: at idle, before anybody asks for anything, and at the peak of each side's load.
type scales struct {
	accounts *accountant // nil: there is nothing to weigh
	idle     map[string]int64
	mu       sync.Mutex
	peaks    map[string]map[string]int64 // by side and process
	// proportional says that pages which several processes share were counted once.
	proportional bool
}

// weighEvery is often enough to see a heap grow, and rarely enough not to disturb.
const weighEvery = 500 * time.Millisecond

func newScales(ctx context.Context, accounts *accountant) (*scales, error) {
	s := &scales{accounts: accounts, peaks: map[string]map[string]int64{}, idle: map[string]int64{}, proportional: true}
	if accounts == nil {
		return s, nil
	}
	maps.Copy(s.idle, s.programs())
	server, err := s.server(ctx)
	if server > 0 {
		s.idle[postgresName] = server
	}
	return s, err
}

// programs weighs all but PostgreSQL.
func (s *scales) programs() map[string]int64 {
	sizes := map[string]int64{}
	for _, process := range s.accounts.processes {
		if bytes, shared, err := gauge.Memory(process.PID); err == nil { // else it has ended, or there is no /proc
			sizes[process.Name] = bytes
			s.proportional = s.proportional && shared
		}
	}
	return sizes
}

// server weighs PostgreSQL's processes together. That takes the kernel some time per process, for each has the shared
// buffers mapped, so it is done between rounds only.
func (s *scales) server(ctx context.Context) (sum int64, err error) {
	if s.accounts.postmaster == 0 {
		return 0, nil
	}
	pids, err := s.accounts.serverProcesses(ctx)
	if err != nil {
		return 0, err
	}
	for _, pid := range append(pids, s.accounts.postmaster) {
		if bytes, shared, err := gauge.Memory(pid); err == nil {
			sum += bytes
			s.proportional = s.proportional && shared
		}
	}
	return sum, nil
}

// watch weighs the programs every now and then while a side is under load, until it is told to stop.
func (s *scales) watch(side string) (stop func()) {
	if s == nil || s.accounts == nil {
		return func() {}
	}
	stopped := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		tick := time.NewTicker(weighEvery)
		defer tick.Stop()
		for {
			select {
			case <-stopped:
				s.note(side, s.programs())
				return
			case <-tick.C:
				s.note(side, s.programs())
			}
		}
	})
	return func() {
		close(stopped)
		watching.Wait()
	}
}

// weighServer weighs PostgreSQL after a side's round. Its processes keep what they have taken.
func (s *scales) weighServer(ctx context.Context, side string) error {
	if s == nil || s.accounts == nil {
		return nil
	}
	bytes, err := s.server(ctx)
	if err == nil && bytes > 0 {
		s.note(side, map[string]int64{postgresName: bytes})
	}
	return err
}

// note keeps the most that a process has taken.
func (s *scales) note(side string, sizes map[string]int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.peaks[side] == nil {
		s.peaks[side] = map[string]int64{}
	}
	for process, bytes := range sizes {
		if worksFor(process, side) {
			s.peaks[side][process] = max(s.peaks[side][process], bytes)
		}
	}
}

// serverProcesses are PostgreSQL's, the postmaster aside.
func (a *accountant) serverProcesses(ctx context.Context) ([]int, error) {
	backends, err := a.backends(ctx)
	pids := make([]int, 0, len(backends))
	for pid := range backends {
		pids = append(pids, pid)
	}
	return pids, err
}

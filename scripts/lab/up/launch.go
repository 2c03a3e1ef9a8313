package up

import (
	"context"
	"errors"
	"time"
)

// part is what a process is there for.
type part struct {
	step    Step // whose environment it has
	standby bool // it serves requests, and does nothing else
}

// launch starts the process on request and waits until it is ready. Until then its end is no accident but the answer, and a
// process that does not get ready is ended. A spare one never becomes a reason to end the lab.
func (p *Process) launch(ctx context.Context) error {
	from := logSize(p.Log)
	started, err := p.start(ctx)
	if err != nil || started == nil {
		return err
	}
	p.mu.Lock()
	p.running, p.unasked, p.stopped = started, nil, false
	p.mu.Unlock()
	p.watches.Go(func() { p.watch(started, from) })
	if p.probe != "" {
		if err := p.awaitReady(ctx, started, from); err != nil {
			p.forgive()
			started.Kill()
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-started.Done():
		p.running = nil
		return p.crash(started, from)
	default:
	}
	if !p.spare {
		p.unasked = started
	}
	return nil
}

// getReady waits until a process that runs is ready.
func (p *Process) getReady(ctx context.Context) error {
	p.mu.Lock()
	running := p.running
	p.mu.Unlock()
	if p.probe == "" || running == nil {
		return nil
	}
	return p.awaitReady(ctx, running, logSize(p.Log))
}

// halt ends the process by SIGTERM and, after the grace, by SIGKILL. It stays away until somebody asks for it.
func (p *Process) halt(grace time.Duration) (killed bool, err error) {
	running := p.forgive()
	p.stay()
	if running == nil {
		return false, nil
	}
	// The context is not a caller's, who may go away: a process that is about to end in order is not killed for that.
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	err = running.Stop(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return true, nil
	}
	return false, err
}

// stay keeps the process away until somebody asks for it.
func (p *Process) stay() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
}

// staysAway says whether somebody has asked for that.
func (p *Process) staysAway() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stopped
}

// alive says whether the process runs, as far as the lab is concerned.
func (p *Process) alive() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running == nil {
		return false
	}
	select {
	case <-p.running.Done():
		return false
	default:
		return true
	}
}

// plays is what the process is there for.
func (p *Process) plays() part {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.part
}

func (p *Process) play(as part) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.part = as
}

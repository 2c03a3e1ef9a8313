package up

import (
	"context"
	"time"
)

// accident is told of a process that has ended unasked. That ends the lab, unless a move is open: then customers wait for
// what is left, and who moves the area has to know where it stands. The process is started again.
func (l *Lab) accident(process *Process, crash *Crash) {
	if !l.survives(process) {
		l.fail(crash)
		return
	}
	l.progress.say("%v", crash)
	l.progress.say("the lab goes on without %s, which is started again, since a move is open", process.Name)
	_ = l.republish()
	l.watches.Go(func() { l.revive(l.life, process) })
}

// survives says whether the lab goes on after the end of a process.
func (l *Lab) survives(process *Process) bool {
	l.mu.Lock()
	ready := l.state.Ready
	l.mu.Unlock()
	if !ready || !l.has(Services) {
		return false
	}
	if process.plays().standby {
		return true // nobody asks it
	}
	ctx, cancel := context.WithTimeout(l.life, 2*time.Second)
	defer cancel()
	return l.moveIsOpen(ctx)
}

// revive starts a process again as the data say, and tries that some times, with longer and longer pauses. It keeps away
// from what somebody has stopped or started meanwhile.
func (l *Lab) revive(ctx context.Context, process *Process) {
	const tries = 5
	for try := range tries {
		if l.reviveOnce(ctx, process) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Duration(try+1) * 500 * time.Millisecond):
		}
	}
	l.progress.say("%s stays away: whatever command goes on with the move starts it again, or says why it does not start", process.Name)
}

func (l *Lab) reviveOnce(ctx context.Context, process *Process) (done bool) {
	l.change.RLock()
	defer l.change.RUnlock()
	process.change.Lock()
	defer process.change.Unlock()
	if ctx.Err() != nil || process.alive() || process.staysAway() || l.Process(process.Name) != process {
		return true
	}
	if process.Name != processPostgres && sideOf(process.Name) == Services {
		if p, err := l.readPlan(ctx); err == nil {
			if wanted, belongs := l.parts(p)[process.Name]; belongs {
				process.play(wanted)
			}
		}
	}
	if err := process.launch(ctx); err != nil {
		l.progress.say("%s does not start again: %v", process.Name, err)
		return false
	}
	l.progress.say("%s runs again", process.Name)
	_ = l.republish()
	return true
}

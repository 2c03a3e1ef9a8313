package up

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"sync"
	"time"
)

// This file has what the control socket asks for. Changes of different processes go on at once; what changes
// the whole side waits for them, and they for it.

// statuses are all processes, and whether they are ready now.
func (l *Lab) statuses(ctx context.Context) []ProcessStatus {
	l.mu.Lock()
	processes := slices.Clone(l.processes)
	l.mu.Unlock()
	all := make([]ProcessStatus, len(processes))
	var asking sync.WaitGroup
	for i, process := range processes {
		asking.Go(func() { all[i] = process.status(ctx) })
	}
	asking.Wait()
	return all
}

// status is what a process does. One that somebody else has started runs if it answers.
func (p *Process) status(ctx context.Context) ProcessStatus {
	as := p.plays()
	status := ProcessStatus{ProcessState: p.state(), Running: p.alive(), Step: as.step.Number}
	status.Ready = status.Running
	if probe := p.probe; probe != "" && status.Running {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		_, err := ask(ctx, probe)
		status.Ready = err == nil
	}
	return status
}

func (p *Process) state() ProcessState {
	return ProcessState{Name: p.Name, PID: p.PID(), URL: p.URL, OpsURL: p.OpsURL, Log: p.Log, Standby: p.plays().standby}
}

// owned returns a process that is the lab's to start and stop.
func (l *Lab) owned(name string) (*Process, error) {
	process := l.Process(name)
	if process == nil {
		var names []string
		for _, other := range l.State().Processes {
			names = append(names, other.Name)
		}
		return nil, refuse(http.StatusNotFound, "the lab runs no process %q: it has %s", name, list(names))
	}
	if name == l.options.Without {
		return nil, refuse(http.StatusConflict, "%s was started by somebody else (--without): stop and start it there", name)
	}
	return process, nil
}

// stopProcess ends a process, which stays away.
func (l *Lab) stopProcess(name string, grace time.Duration) (killed bool, err error) {
	l.change.RLock()
	defer l.change.RUnlock()
	process, err := l.owned(name)
	if err != nil {
		return false, err
	}
	process.change.Lock()
	defer process.change.Unlock()
	killed, err = process.halt(grace)
	if process.spare {
		l.forget(process)
	}
	return killed, errors.Join(err, l.republish())
}

func (l *Lab) killProcess(name string) error {
	l.change.RLock()
	defer l.change.RUnlock()
	process, err := l.owned(name)
	if err != nil {
		return err
	}
	process.change.Lock()
	defer process.change.Unlock()
	process.Kill9()
	process.stay()
	if process.spare {
		l.forget(process)
	}
	return l.republish()
}

// startProcess starts a process as it was ordered. The context is that of who asked, who may be killed meanwhile: a start
// that has begun goes on, since customers may wait for it.
func (l *Lab) startProcess(ctx context.Context, order StartOrder) (ProcessStatus, error) {
	l.change.RLock()
	defer l.change.RUnlock()
	if err := ctx.Err(); err != nil {
		return ProcessStatus{}, err // it has waited too long, or the lab is stopping
	}
	process, as, err := l.ordered(order)
	if err != nil {
		return ProcessStatus{}, err
	}
	process.change.Lock()
	defer process.change.Unlock()
	if process.alive() {
		return ProcessStatus{}, refuse(http.StatusConflict, "%s is running already (pid %d): stop it first", process.Name, process.PID())
	}
	process.play(as)
	if err := process.launch(l.life); err != nil {
		process.stay()
		if process.spare {
			l.forget(process)
		}
		return ProcessStatus{}, errors.Join(err, l.republish())
	}
	return process.status(l.life), l.republish()
}

// ordered finds or makes the process that is to be started.
func (l *Lab) ordered(order StartOrder) (*Process, part, error) {
	as := part{step: l.settings.currentStep(), standby: order.Standby}
	if order.Step != 0 {
		var err error
		if as.step, err = FindStep(order.Step); err != nil {
			return nil, as, refuse(http.StatusBadRequest, "%v", err)
		}
	}
	if l.Process(order.Name) == nil {
		if _, reserved := l.settings.addresses[order.Name]; !reserved {
			return nil, as, refuse(http.StatusNotFound, "the lab has no process %q to start", order.Name)
		}
		if !l.built.has(order.Name) {
			return nil, as, refuse(http.StatusConflict, "the program of %s is not built: prepare its area first", order.Name)
		}
	}
	if order.As == "" {
		process, err := l.found(order.Name)
		if err == nil && process.Name == l.options.Without {
			_, err = l.owned(process.Name)
		}
		return process, as, err
	}
	if _, known := ports[ServiceOf(order.As)]; known || !spareName.MatchString(order.As) {
		return nil, as, refuse(http.StatusBadRequest, "%q can't be the name of a process beside %s: choose another one, of small letters", order.As, order.Name)
	}
	l.finding.Lock()
	defer l.finding.Unlock()
	if l.Process(order.As) != nil {
		return nil, as, refuse(http.StatusConflict, "%s is running already: stop it first", order.As)
	}
	to, err := l.reserved.spare(order.As)
	if err != nil {
		return nil, as, err
	}
	return l.programAs(order.As, order.Name, to), as, nil
}

var spareName = regexp.MustCompile(`^[a-z]{1,32}$`)

// found returns the process of a name, which it makes if it is not there.
func (l *Lab) found(name string) (*Process, error) {
	l.finding.Lock()
	defer l.finding.Unlock()
	if process := l.Process(name); process != nil {
		return process, nil
	}
	return l.program(name), nil
}

// forget takes a process off the lab's list.
func (l *Lab) forget(process *Process) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.processes = slices.DeleteFunc(l.processes, func(other *Process) bool { return other == process })
	l.reserved.release(process.Name)
}

// become makes a step the lab's own.
func (l *Lab) become(number int) error {
	l.change.Lock()
	defer l.change.Unlock()
	return l.becomeStep(number)
}

func (l *Lab) becomeStep(number int) error {
	step, err := FindStep(number)
	if err != nil {
		return refuse(http.StatusBadRequest, "%v", err)
	}
	if err := l.canMove(); err != nil {
		return err
	}
	if number < stepGateway {
		return refuse(http.StatusConflict, "a running lab does not lose its gateway: step 0 is started by lab up --step 0")
	}
	for _, process := range step.Processes() {
		if _, reserved := l.settings.addresses[process]; !reserved {
			return refuse(http.StatusConflict, "the lab has no port for %s, which step %d needs: stop the lab and start it again", process, number)
		}
	}
	if err := l.settings.at(step).writeRoutes("gateway"); err != nil {
		return err
	}
	l.settings.become(step)
	l.mu.Lock()
	l.step = step
	l.mu.Unlock()
	return l.republish()
}

// canMove says why no area can leave the trunk of this lab, if none can.
func (l *Lab) canMove() error {
	switch {
	case !l.has(Services):
		return refuse(http.StatusConflict, "only the monolith runs here: start the lab with --only %s, or without --only", Services)
	case l.settings.currentStep().Number < stepGateway:
		return refuse(http.StatusConflict, "step 0 has no gateway, by which alone an area can leave: start the lab with --step 1")
	}
	return nil
}

// prepareArea makes what the area's step needs: the programs, all schemas, since a move takes rights from all services
// that have not left, and the broker.
func (l *Lab) prepareArea(ctx context.Context, area string) error {
	l.change.RLock()
	defer l.change.RUnlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	return l.prepareStep(ctx, area)
}

func (l *Lab) prepareStep(ctx context.Context, area string) error {
	step, err := stepOf(area)
	if err != nil {
		return refuse(http.StatusNotFound, "%v", err)
	}
	if err := l.canMove(); err != nil {
		return err
	}
	l.preparing.Lock()
	defer l.preparing.Unlock()
	if _, reserved := l.settings.addresses[area]; !reserved {
		return refuse(http.StatusConflict, "the lab has no port for %s: stop the lab and start it again", area)
	}
	if err := l.built.ensure(ctx, l, area, Trunk); err != nil {
		return err
	}
	if !l.migrated {
		schemas := map[string][]string{Services: append([]string{Monolith}, services...)}
		if err := migrate(ctx, l.settings.now().databases, schemas, l.settings.secrets); err != nil {
			return fmt.Errorf("make the schemas that step %d needs: %w", step.Number, err)
		}
		l.migrated = true
	}
	if l.settings.now().natsURL != "" {
		return nil
	}
	return errors.Join(l.setUpBroker(ctx), l.republish())
}

package up

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"banyan/internal/local"
)

// Lab is a running lab. It belongs to the process that started it.
type Lab struct {
	options  Options
	root     string
	sides    []string // their names
	step     Step     // of the services' side, once it is known
	climbs   bool     // the services' data have to be moved to that step
	moves    []move   // what of the services' data was on its way when the lab started
	progress *progress

	lock     *os.File
	reserved *reservation
	settings *settings
	admin    string // superuser's URL of database postgres
	postgres *local.Postgres
	broker   *local.NATS
	unclaim  context.CancelFunc // lets go of a server that is not the lab's own; nil: it is

	// broken ends when a process dies by itself; its cause is the [Crash].
	broken context.Context
	fail   context.CancelCauseFunc

	// change is held exclusively by what changes the whole side, and shared by what changes one process.
	change    sync.RWMutex
	preparing sync.Mutex // held while an area is prepared, which takes as long as a build does
	migrated  bool       // all schemas are
	finding   sync.Mutex // held while a process is looked for, and made if it is missing
	// life ends when the lab is about to stop: then nothing is started any more.
	life    context.Context
	end     context.CancelFunc
	control *control
	built   programs
	moving  atomic.Bool // a move was open when the data were asked last

	mu        sync.Mutex
	state     State
	processes []*Process
	watches   sync.WaitGroup
}

// Start starts a lab and returns once all of its processes are ready. If anything fails, or ctx ends
// before, it stops what it has started. Afterwards ctx means nothing to the lab: it runs until [Lab.Stop], or
// until this process is gone.
func Start(ctx context.Context, options Options) (*Lab, error) {
	l, err := prepare(ctx, options)
	if err != nil {
		return nil, explainPermission(options.Dir, err)
	}
	starting, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stopListening := context.AfterFunc(l.broken, func() { cancel(context.Cause(l.broken)) })
	defer stopListening()

	err = l.start(starting)
	if crash := context.Cause(l.broken); crash != nil {
		err = crash // whatever else failed is a consequence
	}
	if err != nil {
		l.progress.say("that failed; stopping what has started")
		return nil, errors.Join(explainPermission(l.options.Dir, err), l.Stop(context.WithoutCancel(ctx)))
	}
	return l, nil
}

// prepare takes the folder and the ports, and reads or makes what a lab keeps.
func prepare(ctx context.Context, options Options) (_ *Lab, err error) {
	if err := options.complete(); err != nil {
		return nil, err
	}
	l := &Lab{options: options, progress: newProgress(options.Out)}
	l.broken, l.fail = context.WithCancelCause(context.Background())
	l.life, l.end = context.WithCancel(context.Background())
	if l.sides, err = sides(options.Only); err != nil {
		return nil, err
	}
	if l.root, err = Root(); err != nil {
		return nil, err
	}
	if err := l.takeFolder(); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = l.leaveFolder()
		}
	}()
	if options.Fresh {
		if err := wipeData(options.Dir); err != nil {
			return nil, err
		}
	}
	if err := makeFolders(options.Dir); err != nil {
		return nil, err
	}
	kept, err := openSecrets(options.Dir)
	if err != nil {
		return nil, err
	}
	if l.reserved, err = reserve(ctx, l.reservable(), options.PortOffset, options.RandomPorts); err != nil {
		return nil, err
	}
	l.settings = &settings{
		dir: options.Dir, addresses: l.reserved.addresses, secrets: kept, via: options.Via, extra: options.Env,
	}
	return l, nil
}

// names are the lab's own programs, by the names of their processes, when it starts.
func (l *Lab) names() []string {
	names := l.options.processes(l.sides, l.step)
	for _, m := range l.moves {
		if !m.switched() {
			names = append(names, m.Area)
		}
	}
	return names
}

// reservable are the processes that may run, now or later. All areas may leave while the lab runs, and their ports are
// well known.
func (l *Lab) reservable() []string {
	names := l.possible()
	if !l.has(Services) || l.options.Step != nil && *l.options.Step < stepGateway {
		return names
	}
	for _, process := range append(slices.Clone(services), Trunk) {
		if !slices.Contains(names, process) {
			names = append(names, process)
		}
	}
	return names
}

// possible are the programs that may have to run at the start. Which of them will, the data decide if nobody has named a
// step, and they are built before the data can be asked.
func (l *Lab) possible() []string {
	step := Ladder[LastStep]
	if l.options.Step != nil {
		step = Ladder[*l.options.Step]
	}
	names := l.options.processes(l.sides, step)
	if l.has(Services) && l.options.Step == nil {
		names = append(names, Trunk)
	}
	return names
}

// has says whether a side runs.
func (l *Lab) has(side string) bool { return slices.Contains(l.sides, side) }

// takeFolder makes the folder this lab's own, or says which lab has it.
func (l *Lab) takeFolder() error {
	dir := l.options.Dir
	if err := checkOwner(dir); err != nil {
		return err
	}
	if err := local.MakeFolder(dir); err != nil {
		return fmt.Errorf("make the lab's folder: %w", err)
	}
	lock, err := lockFolder(dir, os.O_CREATE, time.Second)
	if errors.Is(err, errHeld) {
		other, err := present(dir)
		if err != nil {
			return err
		}
		return &RunningError{State: other}
	}
	if err != nil {
		return err
	}
	l.lock = lock
	removeStale(dir)
	l.state = State{PID: os.Getpid(), StartedAt: time.Now().UTC().Truncate(time.Second), Dir: dir}
	return l.state.write()
}

func (l *Lab) leaveFolder() error { return errors.Join(l.state.remove(), l.lock.Close()) }

// RunningError means that the folder belongs to a lab that runs.
type RunningError struct{ State *State }

func (e *RunningError) Error() string {
	s := e.State
	if s.PID == 0 {
		return "another lab is just starting in this folder"
	}
	text := fmt.Sprintf("a lab is already running: pid %d, since %s", s.PID, s.StartedAt.Local().Format("15:04:05 on 2 January"))
	if s.MonolithURL != "" {
		text += ", monolith " + s.MonolithURL
	}
	if s.GatewayURL != "" {
		text += fmt.Sprintf(", step %d %s", s.Step, s.GatewayURL)
	}
	return text + ". Use it, or stop it with Ctrl-C or lab down"
}

// Wait returns nil when ctx ends, and the [Crash] when a process has died by itself.
func (l *Lab) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-l.broken.Done():
		return context.Cause(l.broken)
	}
}

// Stop ends all processes, those that customers talk to first, and leaves the folder. Data, secrets
// and logs stay. It may be called once.
func (l *Lab) Stop(ctx context.Context) error {
	l.end()
	l.control.close()
	l.change.Lock() // what was asked for before has ended
	l.mu.Lock()
	l.state.Ready, l.state.ControlSocket = false, ""
	err := l.state.write()
	processes := slices.Clone(l.processes)
	l.mu.Unlock()
	l.reserved.releaseAll()

	for _, stage := range stopStages(processes) {
		var stopping sync.WaitGroup
		problems := make([]error, len(stage))
		for i, process := range stage {
			stopping.Go(func() { problems[i] = process.Stop(ctx) })
		}
		stopping.Wait()
		err = errors.Join(err, errors.Join(problems...))
	}
	if l.postgres != nil {
		err = errors.Join(err, l.postgres.Stop(ctx)) // lets go of the cluster's lock
	}
	if l.unclaim != nil {
		l.unclaim()
	}
	l.change.Unlock()
	l.watches.Wait()
	l.fail(nil)
	return errors.Join(err, l.leaveFolder())
}

// stopStages are the processes in the order in which they stop: what customers talk to, then the services,
// then what these need.
func stopStages(processes []*Process) [][]*Process {
	stages := make([][]*Process, 3)
	for _, process := range processes {
		switch ServiceOf(process.Name) {
		case "gateway", facade, "monolith":
			stages[0] = append(stages[0], process)
		case "outside", processPostgres, processNATS:
			stages[2] = append(stages[2], process)
		default:
			stages[1] = append(stages[1], process)
		}
	}
	return stages
}

// SetEnv adds variables, as KEY=value, to the environment of a process, or of all instances of a service, from their
// next start on.
func (l *Lab) SetEnv(process string, variables ...string) { l.settings.set(process, variables) }

// Process returns a process by its name; nil if the lab has none of that name. PostgreSQL is called
// postgres, the broker nats.
func (l *Lab) Process(name string) *Process {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, process := range l.processes {
		if process.Name == name {
			return process
		}
	}
	return nil
}

// State is what the lab tells other programs.
func (l *Lab) State() State {
	l.mu.Lock()
	defer l.mu.Unlock()
	state := l.state
	state.Processes = slices.Clone(l.state.Processes)
	return state
}

// MonolithURL is where customers reach the monolith; empty if it does not run.
func (l *Lab) MonolithURL() string { return l.State().MonolithURL }

// GatewayURL is where customers reach the shop that is taken apart; empty if it does not run.
func (l *Lab) GatewayURL() string { return l.State().GatewayURL }

// FacadeURL is where customers reach the monolith through a gateway; empty if there is none.
func (l *Lab) FacadeURL() string { return l.State().FacadeURL }

// OutsideURL is the card processor and the mail page.
func (l *Lab) OutsideURL() string { return l.State().OutsideURL }

// DatabaseURL is the superuser's URL of a side's database, [Monolith] or [Services].
func (l *Lab) DatabaseURL(side string) string { return l.State().Databases[side] }

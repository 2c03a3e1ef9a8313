package up

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"banyan/internal/local"
)

// What the servers are called among the processes.
const (
	processPostgres = "postgres"
	processNATS     = "nats"
)

// start brings everything up. What does not need each other is done at the same time: while the
// programs are built, the database is made ready and the broker started.
func (l *Lab) start(ctx context.Context) error {
	settingUp, setUpCtx := errgroup.WithContext(ctx)
	settingUp.Go(func() error { return l.buildPrograms(setUpCtx) })
	settingUp.Go(func() error { return l.setUpServers(setUpCtx) })
	if err := settingUp.Wait(); err != nil {
		return err
	}

	if err := l.writeRoutes(); err != nil {
		return err
	}
	if err := l.built.ensure(ctx, l, l.names()...); err != nil {
		return err
	}
	began := time.Now()
	err := l.progress.during("starting the processes", func() error {
		starting, startCtx := errgroup.WithContext(ctx)
		for _, name := range l.names() {
			process := l.program(name)
			process.play(l.partOf(name))
			starting.Go(func() error { return process.run(startCtx) })
		}
		return starting.Wait()
	})
	if err != nil {
		return err
	}
	if l.control, err = l.serveControl(); err != nil {
		return err
	}
	l.mu.Lock()
	l.state.StartUp, l.state.ControlSocket = time.Since(began).Seconds(), l.control.path
	l.mu.Unlock()
	for _, m := range l.moves {
		l.progress.say("%s", m)
	}
	return l.publish(true)
}

func (l *Lab) buildPrograms(ctx context.Context) error {
	return l.progress.during("building the programs", func() error {
		return l.built.ensure(ctx, l, l.possible()...)
	})
}

func (l *Lab) writeRoutes() error {
	if l.has(Services) && l.step.Number >= stepGateway {
		if err := l.settings.writeRoutes("gateway"); err != nil {
			return err
		}
	}
	if l.options.Facade {
		return l.settings.writeRoutes(facade)
	}
	return nil
}

// setUpServers starts PostgreSQL, where it finds the step, and with that the broker and the databases.
func (l *Lab) setUpServers(ctx context.Context) error {
	if err := l.setUpPostgres(ctx); err != nil {
		return err
	}
	if l.has(Services) {
		if err := l.findStep(ctx); err != nil {
			return err
		}
	}
	if without := l.options.Without; without != "" && !slices.Contains(l.names(), without) {
		return fmt.Errorf("there is no process %q to leave out here: it is one of %s", without, list(l.names()))
	}
	l.reserved.keep(l.wanted(), l.step)
	settingUp, ctx := errgroup.WithContext(ctx)
	settingUp.Go(func() error { return l.setUpDatabases(ctx) })
	if l.hasEvents() {
		settingUp.Go(func() error { return l.setUpBroker(ctx) })
	}
	return settingUp.Wait()
}

// hasEvents says whether a side has something to tell another process, or is about to.
func (l *Lab) hasEvents() bool {
	return l.has(Services) && (l.step.Number >= stepEvents || len(l.moves) > 0)
}

// wanted are the processes that run at the start, and those that a move may need later. The trunk is among them until
// orders is finalized.
func (l *Lab) wanted() []string {
	names := l.names()
	if !l.has(Services) || l.step.Number < stepGateway || l.trunkGone() {
		return names
	}
	return append(names, append(slices.Clone(services), Trunk)...)
}

// trunkGone says whether the trunk has nothing to come back for.
func (l *Lab) trunkGone() bool { return l.step.Number == LastStep && len(l.moves) == 0 }

// partOf is what a process does when the lab starts.
func (l *Lab) partOf(name string) part {
	for _, m := range l.moves {
		if m.Area == name && !m.switched() {
			return m.standby()
		}
	}
	return part{step: l.step}
}

// setUpPostgres finds or starts the server.
func (l *Lab) setUpPostgres(ctx context.Context) error {
	if l.options.DatabaseURL == "" {
		if err := l.progress.during("starting PostgreSQL", func() error { return l.postgresProcess().run(ctx) }); err != nil {
			return err
		}
		l.admin = l.postgres.URL("postgres")
		if err := countStatements(ctx, l.admin); err != nil {
			return err
		}
	} else {
		l.admin = l.options.DatabaseURL
		if err := l.claimServer(ctx); err != nil {
			return err
		}
		l.progress.say("using the PostgreSQL server of DATABASE_URL")
	}
	return nil
}

// setUpDatabases makes, migrates and seeds the databases, and moves the services' data to their step.
func (l *Lab) setUpDatabases(ctx context.Context) error {
	schemas := map[string][]string{}
	for _, side := range l.sides {
		schemas[side] = l.schemas(side)
	}
	var databases map[string]string
	err := l.progress.during("migrating the databases", func() (err error) {
		databases, err = prepareDatabases(ctx, l.admin, schemas, l.settings.secrets)
		return err
	})
	if err != nil {
		return err
	}
	l.settings.databases = databases
	l.migrated = l.climbs || len(l.moves) > 0
	if err := l.seed(ctx, databases); err != nil {
		return err
	}
	if err := l.noteStep(ctx); err != nil {
		return err
	}
	return l.climb(ctx)
}

func (l *Lab) setUpBroker(ctx context.Context) error {
	return l.progress.during("starting NATS", func() error {
		broker := l.Process(processNATS)
		if broker == nil {
			broker = l.natsProcess()
		}
		if !broker.alive() {
			if err := broker.launch(ctx); err != nil {
				return err
			}
		}
		at := l.broker.URL()
		admin, err := withPassword(at, natsAdmin, l.settings.secrets.NATS[natsAdmin])
		if err != nil {
			return err
		}
		if err := makeStream(ctx, admin, l.trunkGone()); err != nil {
			return err
		}
		l.settings.setBroker(at) // the last: who finds it has all that the broker needs
		return nil
	})
}

func (l *Lab) natsAdminURL() (string, error) {
	return withPassword(l.settings.now().natsURL, natsAdmin, l.settings.secrets.NATS[natsAdmin])
}

// postgresProcess is the lab's own server. A restart takes the port it had before.
func (l *Lab) postgresProcess() *Process {
	port := 0
	return l.add(&Process{
		Name: processPostgres,
		Log:  filepath.Join(postgresDir(l.options.Dir), "postgres.log"),
		start: func(ctx context.Context) (*local.Process, error) {
			if l.postgres != nil {
				_ = l.postgres.Stop(ctx) // it is dead; this lets go of the cluster's lock
			}
			server, err := startPostgres(ctx, l.options.Dir, port)
			if err != nil {
				return nil, err
			}
			l.postgres, port = server, server.Port
			return server.Process(), nil
		},
	})
}

// natsProcess is the broker. A restart takes the port it had before.
func (l *Lab) natsProcess() *Process {
	port := 0
	return l.add(&Process{
		Name: processNATS,
		Log:  filepath.Join(natsDir(l.options.Dir), "nats.log"),
		start: func(ctx context.Context) (*local.Process, error) {
			server, err := startNATS(ctx, l.root, l.options.Dir, port, l.settings.secrets)
			if err != nil {
				return nil, err
			}
			l.broker, port = server, server.Port
			return server.Process(), nil
		},
	})
}

// program is one of the programs that the lab has built.
func (l *Lab) program(name string) *Process {
	return l.programAs(name, name, l.settings.addresses[name])
}

// programAs is the program of a process under a name of its own, at an address of its own. For the others it is not there.
func (l *Lab) programAs(name, of string, to address) *Process {
	probe := to.opsURL() + "/readyz"
	if to.Ops == 0 {
		probe = to.url() + "/livez"
	}
	if name == l.options.Without {
		return l.add(&Process{Name: name, URL: to.url(), OpsURL: to.opsURL(), start: l.await(name, probe)})
	}
	log := filepath.Join(l.options.Dir, "logs", name+".log")
	process := &Process{
		Name: name, URL: to.url(), OpsURL: to.opsURL(), Log: log, probe: probe, spare: name != of,
		part: part{step: l.settings.currentStep()},
	}
	process.start = func(ctx context.Context) (*local.Process, error) {
		env, err := l.settings.environmentAs(process.plays(), of, to)
		if err != nil {
			return nil, err
		}
		l.reserved.release(name)
		return local.Start(ctx, local.Command{
			Name: name,
			Path: filepath.Join(l.options.Dir, "bin", programOf(of)),
			Env:  env,
			Dir:  l.options.Dir,
			Log:  log,
			// What container runtimes grant, and what a process needs at most that has a lot to finish.
			Grace: 30 * time.Second,
		})
	}
	return l.add(process)
}

// add makes a process one of the lab's.
func (l *Lab) add(process *Process) *Process {
	process.watches = &l.watches
	process.crashed = l.accident
	process.changed = func() { _ = l.publish(true) }
	l.mu.Lock()
	defer l.mu.Unlock()
	l.processes = append(l.processes, process)
	return process
}

// publish writes down where everything is.
func (l *Lab) publish(ready bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state.Ready = ready
	return l.writeState()
}

// republish is publish after something has changed in a lab that may be ready or not.
func (l *Lab) republish() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.writeState()
}

// writeState is called by one that has the lab's lock.
func (l *Lab) writeState() error {
	l.state.Databases = l.settings.databases
	l.state.OutsideURL = l.settings.addresses["outside"].url()
	if l.has(Monolith) {
		l.state.MonolithURL = l.settings.addresses[Monolith].url()
	}
	if l.has(Services) {
		l.state.Step = l.step.Number
		l.state.GatewayURL = l.settings.addresses[l.step.Front()].url()
	}
	if l.settings.now().natsURL != "" {
		address, err := l.natsAdminURL()
		if err != nil {
			return err
		}
		l.state.NATSURL = address
	}
	if l.options.Facade {
		l.state.FacadeURL = l.settings.addresses[facade].url()
	}
	l.state.Processes = nil
	for _, process := range l.processes {
		l.state.Processes = append(l.state.Processes, process.state())
	}
	if err := l.state.write(); err != nil {
		return fmt.Errorf("write the lab's state: %w", err)
	}
	return nil
}

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
	began := time.Now()
	err := l.progress.during("starting the processes", func() error {
		starting, startCtx := errgroup.WithContext(ctx)
		for _, name := range l.names() {
			process := l.program(name)
			starting.Go(func() error { return process.run(startCtx) })
		}
		return starting.Wait()
	})
	if err != nil {
		return err
	}
	l.state.StartUp = time.Since(began).Seconds() // no other goroutine has the lab yet
	return l.publish(true)
}

func (l *Lab) buildPrograms(ctx context.Context) error {
	return l.progress.during("building the programs", func() error {
		return build(ctx, l.root, filepath.Join(l.options.Dir, "bin"), l.possible(), l.options.Overlay)
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
	l.reserved.keep(l.names(), l.step)
	settingUp, ctx := errgroup.WithContext(ctx)
	settingUp.Go(func() error { return l.setUpDatabases(ctx) })
	if l.hasEvents() {
		settingUp.Go(func() error { return l.setUpBroker(ctx) })
	}
	return settingUp.Wait()
}

// hasEvents says whether a side has something to tell another process.
func (l *Lab) hasEvents() bool { return l.has(Services) && l.step.Number >= stepEvents }

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
		if err := l.natsProcess().run(ctx); err != nil {
			return err
		}
		l.settings.natsURL = l.broker.URL()
		admin, err := l.natsAdminURL()
		if err != nil {
			return err
		}
		return makeStream(ctx, admin, l.step)
	})
}

func (l *Lab) natsAdminURL() (string, error) {
	return withPassword(l.settings.natsURL, natsAdmin, l.settings.secrets.NATS[natsAdmin])
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
	to := l.settings.addresses[name]
	probe := to.opsURL() + "/readyz"
	if to.Ops == 0 {
		probe = to.url() + "/livez"
	}
	if name == l.options.Without {
		return l.add(&Process{Name: name, URL: to.url(), OpsURL: to.opsURL(), start: l.await(name, probe)})
	}
	log := filepath.Join(l.options.Dir, "logs", name+".log")
	return l.add(&Process{
		Name: name, URL: to.url(), OpsURL: to.opsURL(), Log: log, probe: probe,
		start: func(ctx context.Context) (*local.Process, error) {
			env, err := l.settings.environment(name)
			if err != nil {
				return nil, err
			}
			l.reserved.release(name)
			return local.Start(ctx, local.Command{
				Name: name,
				Path: filepath.Join(l.options.Dir, "bin", programOf(name)),
				Env:  env,
				Dir:  l.options.Dir,
				Log:  log,
				// What container runtimes grant, and what a process needs at most that has a lot to finish.
				Grace: 30 * time.Second,
			})
		},
	})
}

// add makes a process one of the lab's.
func (l *Lab) add(process *Process) *Process {
	process.watches = &l.watches
	process.crashed = func(crash *Crash) { l.fail(crash) }
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
	l.state.Databases = l.settings.databases
	l.state.OutsideURL = l.settings.addresses["outside"].url()
	if l.has(Monolith) {
		l.state.MonolithURL = l.settings.addresses[Monolith].url()
	}
	if l.has(Services) {
		l.state.Step = l.step.Number
		l.state.GatewayURL = l.settings.addresses[l.step.Front()].url()
	}
	if l.hasEvents() {
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
		l.state.Processes = append(l.state.Processes, ProcessState{
			Name: process.Name, PID: process.PID(), URL: process.URL, OpsURL: process.OpsURL, Log: process.Log,
		})
	}
	if err := l.state.write(); err != nil {
		return fmt.Errorf("write the lab's state: %w", err)
	}
	return nil
}

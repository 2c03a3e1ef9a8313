package up

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"banyan/scripts/lab/gate"
)

// convergence is one run of converge.
type convergence struct {
	lab  *Lab
	plan plan

	mu      sync.Mutex
	changed []string
}

func (c *convergence) say(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changed = append(c.changed, fmt.Sprintf(format, args...))
}

// converge brings processes, routes and holds to what the data say, wherever a move was broken off, and returns what it has
// changed, a sentence each. It may be repeated, and changes nothing the second time.
//
// The order is that of a switch: what must not run stops, then the gateways learn the routes, and then the rest starts.
// Customers who are held meet no gateway whose routes are older than the trunk behind it. The context is that of who asked;
// once it has begun, it goes on without them.
func (l *Lab) converge(ctx context.Context) ([]string, error) {
	l.change.Lock()
	defer l.change.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := l.canMove(); err != nil {
		return nil, err
	}
	c := &convergence{lab: l}
	for _, do := range []func(context.Context) error{c.readData, c.stopWrong, c.route, c.startMissing, c.letGo} {
		if err := do(l.life); err != nil {
			return c.changed, errors.Join(err, l.republish())
		}
	}
	return c.changed, l.republish()
}

// readData finds out what is to run, and makes what that needs.
func (c *convergence) readData(ctx context.Context) (err error) {
	// Without the database nobody can say more.
	if postgres := c.lab.Process(processPostgres); postgres != nil && !postgres.alive() {
		if err := c.restart(ctx, postgres); err != nil {
			return err
		}
	}
	if c.plan, err = c.lab.readPlan(ctx); err != nil {
		return err
	}
	for _, area := range c.needs() {
		if err := c.lab.prepareStep(ctx, area); err != nil {
			return err
		}
	}
	return nil
}

// needs are the areas whose programs have to run and are not built, and those that are on their way.
func (c *convergence) needs() []string {
	var areas []string
	for _, area := range c.plan.step.Extracted() {
		if !c.lab.built.has(area) {
			areas = append(areas, area)
		}
	}
	for _, m := range c.plan.moves {
		if !slices.Contains(areas, m.Area) {
			areas = append(areas, m.Area)
		}
	}
	return areas
}

// stopWrong stops what does not belong to the step, or does it in another part.
func (c *convergence) stopWrong(context.Context) error {
	parts := c.lab.parts(c.plan)
	var stopping errgroup.Group
	for _, process := range c.ofSide() {
		wanted, belongs := parts[process.Name]
		if belongs && (!process.alive() || process.plays().serves(process.Name, wanted)) {
			continue
		}
		stopping.Go(func() error {
			ran := process.alive()
			if _, err := process.halt(StopGrace); err != nil {
				return err
			}
			switch {
			case !belongs:
				c.lab.forget(process)
				if ran {
					c.say("%s has stopped: it has no part in step %d", process.Name, c.plan.step.Number)
				}
			case ran:
				c.say("%s has stopped, since it ran %s", process.Name, process.plays())
			}
			return nil
		})
	}
	return stopping.Wait()
}

// ofSide are the processes that depend on the step, and those beside them.
func (c *convergence) ofSide() []*Process {
	c.lab.mu.Lock()
	defer c.lab.mu.Unlock()
	var all []*Process
	for _, process := range c.lab.processes {
		service := ServiceOf(process.Name)
		if process.Name == c.lab.options.Without {
			continue
		}
		if process.spare || service == Trunk || service == "gateway" || slices.Contains(services, service) {
			all = append(all, process)
		}
	}
	return all
}

// serves says whether a process that runs in one part serves another as well. Only the trunk's environment
// differs from step to step.
func (p part) serves(process string, wanted part) bool {
	if process == Trunk && !slices.Equal(p.step.Extracted(), wanted.step.Extracted()) {
		return false
	}
	return p.standby == wanted.standby
}

func (p part) String() string {
	if p.standby {
		return fmt.Sprintf("in standby for step %d", p.step.Number)
	}
	return fmt.Sprintf("as step %d has it", p.step.Number)
}

// route makes the step the lab's, and tells the gateways its routes.
func (c *convergence) route(ctx context.Context) error {
	before := c.lab.settings.currentStep()
	file := routesFile(c.lab.options.Dir, "gateway")
	old, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read the gateway's routes: %w", err)
	}
	if err := c.lab.becomeStep(c.plan.step.Number); err != nil {
		return err
	}
	if before.Number != c.plan.step.Number {
		c.say("the lab is at step %d, and was at step %d", c.plan.step.Number, before.Number)
	}
	table, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read the gateway's routes: %w", err)
	}
	if !bytes.Equal(old, table) {
		c.say("the routes are those of step %d", c.plan.step.Number)
	}
	for _, gateway := range c.gateways() {
		if err := gate.At(gateway.OpsURL).Replace(ctx, table); err != nil {
			return fmt.Errorf("tell %s the routes: %w", gateway.Name, err)
		}
	}
	return nil
}

// letGo ends what a switch that was broken off may hold.
func (c *convergence) letGo(ctx context.Context) error {
	for _, gateway := range c.gateways() {
		if _, err := gate.At(gateway.OpsURL).LetGo(ctx); err != nil {
			return fmt.Errorf("have %s let go of whom it holds: %w", gateway.Name, err)
		}
	}
	return nil
}

// gateways are those of the side that run.
func (c *convergence) gateways() []*Process {
	return slices.DeleteFunc(c.ofSide(), func(p *Process) bool { return ServiceOf(p.Name) != "gateway" || !p.alive() })
}

// startMissing starts all that has to run, and waits until it is ready. What runs already may have to get ready, too.
func (c *convergence) startMissing(ctx context.Context) error {
	parts := c.lab.parts(c.plan)
	var starting errgroup.Group // without a common context: one that fails takes no other along
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		if name == c.lab.options.Without {
			continue
		}
		process, err := c.lab.found(name)
		if err != nil {
			return err
		}
		if process.alive() {
			starting.Go(func() error { return process.getReady(ctx) })
			continue
		}
		process.play(parts[name])
		starting.Go(func() error {
			if err := process.launch(ctx); err != nil {
				return err
			}
			c.say("%s has started %s", process.Name, process.plays())
			return nil
		})
	}
	for _, process := range c.lab.others() {
		if !process.alive() {
			starting.Go(func() error { return c.restart(ctx, process) })
		}
	}
	return starting.Wait()
}

// restart starts a process that no step changes.
func (c *convergence) restart(ctx context.Context, process *Process) error {
	if err := process.launch(ctx); err != nil {
		return err
	}
	c.say("%s has started", process.Name)
	return nil
}

// others are the processes that depend on no step and are the lab's to start.
func (l *Lab) others() []*Process {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []*Process
	for _, process := range l.processes {
		switch ServiceOf(process.Name) {
		case processPostgres, processNATS, "outside", Monolith, facade:
			if process.Name != l.options.Without {
				all = append(all, process)
			}
		}
	}
	return all
}

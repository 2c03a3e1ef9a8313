package up

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
)

// Options say which lab to start. The zero value is both sides on the well-known ports, in .lab.
type Options struct {
	// Only starts one side, [Monolith] or [Services]; empty starts both.
	Only string
	// Step is the number of the step that the services' side is to be at; nil is the one that its data stand at, and the
	// last one if there are none. Data climb, and never go down; while an area is on its way, they stay where they are.
	Step *int
	// SeedSize is small, medium, large or huge, which is for the services' side alone; empty keeps what is there, or takes small.
	SeedSize string
	// Dir is the lab's folder; empty is .lab.
	Dir string
	// Fresh removes the data of earlier runs first.
	Fresh bool

	// RandomPorts takes ports that are free instead of the well-known ones, for tests.
	RandomPorts bool
	// PortOffset is added to the well-known ports.
	PortOffset int
	// DatabaseURL is the superuser's URL of a server to use instead of one of the lab's own.
	DatabaseURL string

	// Instances says how many processes of a service run; one, if it is not named here. The second of orders is
	// called orders-2. Whoever calls the service knows all of them.
	Instances map[string]int
	// Facade also starts a gateway, called facade, in front of a second monolith on the first one's data: step 1 of the ladder.
	Facade bool
	// Without is a process that the lab does not start: it writes down its environment, for a debugger to start it with, and
	// goes on once it is ready.
	Without string
	// Overlay is a file for go build -overlay, which replaces source files of the programs; empty replaces none.
	Overlay string
	// Via, if it is set, says by which address a process is to reach another, whenever the process is started: that of a
	// proxy, for instance. It may be called by several goroutines at once.
	Via func(Link) (address string, err error)

	// Env adds variables, as KEY=value, to the environment of a process, by its name, or of all instances of a
	// service. They win.
	Env map[string][]string
	// Out is told the progress; nil is silent.
	Out io.Writer
}

// complete fills in the defaults and refuses what makes no sense.
func (o *Options) complete() error {
	if o.Dir == "" {
		o.Dir = ".lab"
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return fmt.Errorf("find the lab's folder: %w", err)
	}
	o.Dir = dir
	switch o.SeedSize {
	case "", "small", "medium", "large":
	case "huge":
		if o.Only == Monolith || o.Facade {
			return fmt.Errorf("so much data are for the side that is taken apart: start it with --only %s", Services)
		}
		o.Only = Services
	default:
		return fmt.Errorf("there is no seed size %q: it is small, medium, large or huge", o.SeedSize)
	}
	// The highest well-known port is 8447, that of a ninth instance.
	if o.PortOffset < 0 || o.PortOffset > 50_000 {
		return fmt.Errorf("a port offset of %d leaves the range of ports: choose 0 to 50000", o.PortOffset)
	}
	if o.Fresh && o.DatabaseURL != "" {
		return fmt.Errorf("the lab does not remove data from a server that is not its own: "+
			"drop the databases %s and %s there yourself, then start without --fresh", Monolith, Services)
	}
	if o.DatabaseURL != "" {
		if o.DatabaseURL, err = adminURL(o.DatabaseURL); err != nil {
			return err
		}
	}
	for process := range o.Env {
		if _, known := ports[ServiceOf(process)]; !known {
			return fmt.Errorf("there is no process %q to set variables for", process)
		}
	}
	if o.Step != nil {
		if _, err := FindStep(*o.Step); err != nil {
			return err
		}
	}
	return o.completeProcesses()
}

// mostInstances keeps the well-known ports of instances apart.
const mostInstances = 9

func (o *Options) completeProcesses() error {
	fleet := Ladder[LastStep].Processes()
	for service, n := range o.Instances {
		switch {
		case !slices.Contains(fleet, service):
			return fmt.Errorf("there is no service %q to run more than once: choose among %s", service, list(fleet))
		case n < 1 || n > mostInstances:
			return fmt.Errorf("%d instances of %s cannot be run: choose 1 to %d", n, service, mostInstances)
		}
	}
	if o.Facade && o.Only == Services {
		return fmt.Errorf("a façade stands in front of the monolith, which is not to run")
	}
	return nil
}

// Link is one connection that a process makes: to another process by its name, or to "postgres", "nats", the card
// processor, "outside", or the mail server, "mail". The gateway's instances have one file of routes, and so
// one name here, "gateway".
type Link struct {
	From, To string
	Address  string // host:port
}

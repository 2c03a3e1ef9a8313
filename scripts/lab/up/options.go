package up

import (
	"fmt"
	"io"
	"path/filepath"
)

// Options say which lab to start. The zero value is both sides on the well-known ports, in .lab.
type Options struct {
	// Only starts one side, [Monolith] or [Services]; empty starts both.
	Only string
	// SeedSize is small, medium or large; empty keeps what is there, or takes small.
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

	// Env adds variables, as KEY=value, to the environment of a process, by its name. They win.
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
	default:
		return fmt.Errorf("there is no seed size %q: it is small, medium or large", o.SeedSize)
	}
	// The highest well-known port is 8207.
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
		if _, known := variables[process]; !known {
			return fmt.Errorf("there is no process %q to set variables for", process)
		}
	}
	return nil
}

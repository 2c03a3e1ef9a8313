package overload

import (
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"banyan/scripts/lab/gauge"
	"banyan/scripts/lab/up"
)

// How much a process is preferred to others on the same processors, as nice counts it.
const (
	hurried    = -10
	ordinarily = 0
)

// place is who computes where. The shop gets so many processors, with its database and broker, and the customers get the
// others, with the world outside. So what they need at five times the rate is not taken from the shop. Where none is left
// for them they share the shop's, and what they took is taken into account.
type place struct {
	cpus   float64
	all    []int // processors of this machine; none where they can't be told apart
	shop   []int
	crowd  []int
	quota  string // the shop's control group; empty if it may use its processors in full
	shared bool
}

// newPlace is for a shop with so many processors; 0 is half of them.
func newPlace(cpus float64) (*place, error) {
	all := allowed()
	if cpus == 0 {
		cpus = max(float64(len(all)/2), 1)
	}
	if len(all) == 0 {
		return &place{cpus: cpus, shared: true}, nil
	}
	whole := int(math.Ceil(cpus))
	if whole > len(all) {
		return nil, fmt.Errorf("this machine has %d processors, and the shop can't have %g: ask for fewer", len(all), cpus)
	}
	p := &place{cpus: cpus, all: all, shop: all[:whole], crowd: all[whole:]}
	if len(p.crowd) == 0 {
		p.crowd, p.shared = all, true
	}
	if cpus < float64(whole) {
		var err error
		if p.quota, err = newQuota(cpus); err != nil {
			return nil, fmt.Errorf("give the shop %g processors (whole ones need no control group): %w", cpus, err)
		}
	}
	return p, nil
}

// settle puts everybody where they belong; again whenever a process was started.
func (p *place) settle(lab *up.Lab) error {
	if len(p.all) == 0 {
		return nil
	}
	for _, process := range lab.State().Processes {
		if process.PID == 0 {
			continue
		}
		children, err := gauge.Children(process.PID)
		if err != nil {
			return err
		}
		for _, pid := range append(children, process.PID) {
			if err := p.put(pid, process.Name != "outside"); err != nil && !os.IsNotExist(err) {
				return err
			}
		}
	}
	if p.shared {
		// Among the shop's threads the customers' would ask late, and say nothing about the shop.
		prefer(os.Getpid(), hurried)
	}
	return pin(os.Getpid(), p.crowd...)
}

func (p *place) put(pid int, ofShop bool) error {
	if !ofShop {
		return pin(pid, p.crowd...)
	}
	if p.quota != "" {
		if err := join(p.quota, pid); err != nil {
			return err
		}
	}
	if p.shared {
		prefer(pid, ordinarily) // a process that was started again has the lab's priority
	}
	return pin(pid, p.shop...)
}

// leave gives this process all processors back once the lab has stopped, for the next side starts with them.
func (p *place) leave() error {
	if len(p.all) == 0 {
		return nil
	}
	if p.shared {
		prefer(os.Getpid(), ordinarily)
	}
	err := pin(os.Getpid(), p.all...)
	if p.quota != "" {
		err = errors.Join(err, dissolve(p.quota))
	}
	return err
}

// left is how much of a phase the shop's processors were left to it by customers who computed for so long.
func (p *place) left(customers, phase time.Duration) time.Duration {
	if p == nil || !p.shared {
		return phase
	}
	return phase - time.Duration(float64(customers)/p.cpus)
}

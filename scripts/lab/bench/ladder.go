package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"banyan/scripts/lab/bench/lines"
	"banyan/scripts/lab/up"
	"banyan/scripts/lab/workload"
)

// Rung is what a step has beside its throughput: what it bought, and what that costs.
type Rung struct {
	Step    int    `json:"step"`
	Name    string `json:"name"`
	Teaches string `json:"teaches"`
	// Processes are the shop's own: PostgreSQL, the broker and the world outside are not among them.
	Processes int `json:"processes"`
	// Statements and Hops are of one checkout: a book is put into the cart and bought, all that follows included.
	Statements float64 `json:"sql_statements_per_checkout,omitempty"`
	Hops       float64 `json:"http_requests_per_checkout,omitempty"`
	// MemoryIdle and Memory are the bytes of the shop's processes and the broker, at idle and at the peak.
	MemoryIdle int64 `json:"memory_idle_bytes,omitempty"`
	Memory     int64 `json:"memory_bytes,omitempty"`
	// StartUp is the seconds from the start of the step's processes, all at once, until each has said that it is ready.
	// PostgreSQL and the broker run by then, and the programs are built.
	StartUp float64 `json:"start_up_seconds"`
	// Go and SQL are the lines that the step adds and removes.
	Go  lines.Change `json:"go_lines"`
	SQL lines.Change `json:"sql_lines"`
}

// NeedsLabs says whether the steps need labs of their own: one lab has the monolith, the façade and the services, and no
// other step beside them.
func NeedsLabs(steps []int) bool {
	return slices.ContainsFunc(steps, func(step int) bool {
		_, named := sideNames[step]
		return !named
	})
}

// RunLadder measures steps that run in a lab each, all of them during the run, and one of them under load at a time. The
// services' side of each lab is the step; the labs hold equal data of one size.
func RunLadder(ctx context.Context, states []*up.State, options Options) (*Report, error) {
	options.Checkouts = true
	if err := options.Validate(); err != nil {
		return nil, err
	}
	sides, err := sidesAlone(states)
	if err != nil {
		return nil, err
	}
	report, err := run(ctx, sides, options)
	if err != nil {
		return nil, err
	}
	root, err := up.Root()
	if err != nil {
		return nil, err
	}
	for _, s := range sides {
		rung := report.rung(s)
		if rung.Go, rung.SQL, err = lines.Of(ctx, root, up.Ladder[s.step]); err != nil {
			return nil, err
		}
		report.Ladder = append(report.Ladder, rung)
	}
	return report, nil
}

// sidesAlone are the steps of labs that have one each, in the ladder's order.
func sidesAlone(states []*up.State) ([]*side, error) {
	var sides []*side
	for _, state := range states {
		if state.GatewayURL == "" {
			return nil, errors.New("a lab of the ladder has no step to measure")
		}
		name := aloneName(state.Step)
		sides = append(sides, &side{step: state.Step, name: name, url: state.GatewayURL, home: name, lab: &lab{state: state}})
	}
	slices.SortFunc(sides, func(a, b *side) int { return a.step - b.step })
	for i := range sides {
		if i > 0 && sides[i].step == sides[i-1].step {
			return nil, fmt.Errorf("two labs are at step %d", sides[i].step)
		}
	}
	if len(sides) == 0 {
		return nil, errors.New("there is no lab to measure")
	}
	return sides, nil
}

// rung is what the run has found of a step. The lines are not of the run.
func (r *Report) rung(s *side) Rung {
	step := up.Ladder[s.step]
	found := Rung{
		Step: s.step, Name: rungName(step), Teaches: step.Teaches, Processes: len(step.Processes()), StartUp: s.lab.state.StartUp,
		MemoryIdle: ofShop(r.Sides[s.name].MemoryIdle), Memory: ofShop(r.Sides[s.name].Memory),
	}
	t := r.resultIfThere(s.name, workload.BuyConfirm.String())
	if t == nil {
		return found
	}
	if bought := t.Interactions[workload.BuyConfirm.String()]; bought.Count > 0 {
		each := float64(t.Requests) / float64(bought.Count)
		found.Statements, found.Hops = t.Statements*each, t.HopsTotal*each
	}
	return found
}

// ofShop is the sum without PostgreSQL and the world outside.
func ofShop(sizes map[string]int64) (sum int64) {
	for process, bytes := range sizes {
		if process != postgresName && process != outsideName {
			sum += bytes
		}
	}
	return sum
}

// rungName is what a step is called: by what has left the monolith, or what stands there.
func rungName(step up.Step) string {
	switch {
	case step.Area != "":
		return step.Area
	case step.Number == 0:
		return up.Monolith
	}
	return facade
}

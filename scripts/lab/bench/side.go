package bench

import (
	"fmt"
	"slices"
	"strings"

	"banyan/scripts/lab/up"
	"banyan/scripts/lab/workload"
)

const (
	// facade is the side of step 1: the gateway in front of a monolith, on the data of the first one.
	facade       = "facade"
	behindFacade = up.Monolith + "-2" // that monolith
)

// side is one step of the ladder, as it runs in a lab.
type side struct {
	step int
	name string
	url  string
	home string // whose database it works on: the monolith's, the services', or that of a step in a lab of its own
	lab  *lab   // where it runs
	// others are the processes of other sides that work on the same database.
	others []up.ProcessState
	people *workload.Clientele
}

// sideNames are the steps that have a name of their own.
var sideNames = map[int]string{0: up.Monolith, 1: facade, len(up.Ladder) - 1: up.Services}

func sideName(step int) string {
	if name, known := sideNames[step]; known {
		return name
	}
	return fmt.Sprintf("step %d", step)
}

// sidesOf finds the steps in the running lab, in the ladder's order. None means those that run.
func sidesOf(state *up.State, steps []int) ([]*side, error) {
	if len(steps) == 0 {
		for step, name := range sideNames {
			if sideURL(state, name) != "" && name != facade {
				steps = append(steps, step)
			}
		}
	}
	steps = slices.Clone(steps)
	slices.Sort(steps)
	var found []*side
	in := &lab{state: state}
	for _, step := range slices.Compact(steps) {
		if err := CanRun(step); err != nil {
			return nil, err
		}
		s := &side{step: step, name: sideName(step), home: up.Services, lab: in}
		if step <= 1 {
			s.home = up.Monolith
		}
		if s.url = sideURL(state, s.name); s.url == "" {
			return nil, fmt.Errorf("the running lab does not have step %d (%s)", step, s.name)
		}
		found = append(found, s)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("the running lab has no side to measure")
	}
	return found, nil
}

// Missing is the first of the steps that a lab does not run.
func Missing(state *up.State, steps []int) (step int, missing bool) {
	at := slices.IndexFunc(steps, func(step int) bool { return sideURL(state, sideName(step)) == "" })
	if at < 0 {
		return 0, false
	}
	return steps[at], true
}

// findOthers tells each side which processes could do its work in its place.
func findOthers(sides []*side, processes []up.ProcessState) {
	for _, s := range sides {
		for _, process := range processes {
			if process.PID == 0 || worksFor(process.Name, s.name) {
				continue
			}
			if slices.ContainsFunc(sides, func(other *side) bool { return other.home == s.home && worksFor(process.Name, other.name) }) {
				s.others = append(s.others, process)
			}
		}
	}
}

// CanRun says whether a step of the ladder can be measured, in the ladder's own words if not.
func CanRun(step int) error {
	if step == 1 {
		return nil // the façade is an option of the lab, beside the monolith
	}
	_, err := up.FindStep(step)
	return err
}

func sideURL(state *up.State, name string) string {
	if name == facade {
		return state.FacadeURL
	}
	return state.SideURL(name)
}

// homes are the databases that the sides work on, each once.
func homes(sides []*side) []string {
	var names []string
	for _, s := range sides {
		if !slices.Contains(names, s.home) {
			names = append(names, s.home)
		}
	}
	return names
}

// worksFor says whether a process works for a side. Those of PostgreSQL are named by their role; the world outside
// and what PostgreSQL does in the background work for all, and in a lab of one step everything works for that.
func worksFor(process, side string) bool {
	if alone(side) {
		return true
	}
	role, backend := strings.CutPrefix(process, postgresName+" ")
	switch {
	case process == postgresName, process == background, process == outsideName:
		return true
	case process == facade, process == behindFacade:
		return side == facade
	case process == up.Monolith:
		return side == up.Monolith
	case backend && strings.HasPrefix(role, up.Monolith+"_"):
		return side == up.Monolith || side == facade
	}
	return side != up.Monolith && side != facade // the broker as well: the monolith needs none
}

const outsideName = "outside"

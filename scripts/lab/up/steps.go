package up

import (
	"fmt"
	"slices"
	"strings"
)

// The names of the two sides, which are those of their databases as well.
const (
	Monolith = "monolith"
	Services = "services"
)

// Step is one state of the system on its way from the monolith to services.
type Step struct {
	Number  int
	Leaves  string // what leaves the monolith
	Teaches string // the pattern it shows

	// Processes run at this step, besides PostgreSQL, NATS and the world outside. None: the step
	// cannot be run yet.
	Processes []string
	// Environment of the monolith besides its own: the addresses of what has left it.
	Environment []string
	// Routes is the gateway's file of routes, below the root of the repository; empty if there is no gateway.
	Routes string
}

// Ladder is all steps in order.
var Ladder = []Step{
	{Number: 0, Leaves: "nothing: the monolith", Teaches: "a good monolith",
		Processes: []string{"monolith"}},
	{Number: 1, Leaves: "nothing: the gateway goes in front", Teaches: "strangler fig façade",
		Routes: "services/gateway/routes-1.json"},
	{Number: 2, Leaves: "notifications", Teaches: "transactional outbox, idempotent consumer"},
	{Number: 3, Leaves: "accounts", Teaches: "phantom token, anti-corruption at the edge"},
	{Number: 4, Leaves: "catalog", Teaches: "parallel run, CQRS read model, foreign key to copy fed by events"},
	{Number: 5, Leaves: "inventory", Teaches: "split table, reservation, branch by abstraction"},
	{Number: 6, Leaves: "payments", Teaches: "saga with compensation, idempotent remote"},
	{Number: 7, Leaves: "shipping", Teaches: "choreography"},
	{Number: 8, Leaves: "orders: the monolith is gone", Teaches: "orchestrated saga, moved whole",
		Processes: []string{"accounts", "catalog", "inventory", "orders", "payments", "shipping", "notifications", "gateway"},
		Routes:    "services/gateway/routes.json"},
}

// Runnable says whether the lab can run the step.
func (s Step) Runnable() bool { return len(s.Processes) > 0 }

// Schemas are those the step's processes live in.
func (s Step) Schemas() []string {
	var schemas []string
	for _, name := range s.Processes {
		if slices.Contains(variables[name], "DATABASE_URL") {
			schemas = append(schemas, name)
		}
	}
	return schemas
}

// FindStep returns a step that can be run, or an error that says which ones can.
func FindStep(number int) (Step, error) {
	if number < 0 || number >= len(Ladder) {
		return Step{}, fmt.Errorf("there is no step %d: the ladder goes from 0 to %d (lab steps shows it)", number, len(Ladder)-1)
	}
	if step := Ladder[number]; step.Runnable() {
		return step, nil
	}
	var runnable []string
	for _, step := range Ladder {
		if step.Runnable() {
			runnable = append(runnable, fmt.Sprint(step.Number))
		}
	}
	return Step{}, fmt.Errorf("step %d (%s) cannot be run yet: choose one of %s",
		number, Ladder[number].Leaves, strings.Join(runnable, ", "))
}

// sides are the steps that a lab runs side by side, by the name of the side.
func sides(only string) (map[string]Step, error) {
	both := map[string]Step{Monolith: Ladder[0], Services: Ladder[len(Ladder)-1]}
	switch only {
	case "":
		return both, nil
	case Monolith, Services:
		return map[string]Step{only: both[only]}, nil
	}
	return nil, fmt.Errorf("there is no side %q: it is %s or %s", only, Monolith, Services)
}

// Processes are those of one side at its end of the ladder, by their names in the lab's state.
func Processes(side string) []string {
	if side == Monolith {
		return slices.Clone(Ladder[0].Processes)
	}
	return slices.Clone(Ladder[len(Ladder)-1].Processes)
}

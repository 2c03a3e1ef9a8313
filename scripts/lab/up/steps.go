package up

import (
	"fmt"
	"slices"
	"strings"
)

// The names of the two sides, which are those of their databases as well.
const (
	Monolith = "monolith" // the whole shop in one process, which no step changes
	Services = "services" // the shop that is taken apart, at some step of the ladder
)

// Trunk is the monolith that areas leave, as a process. In its database, to the broker and as a program it is the
// monolith.
const Trunk = "trunk"

// Step is one state of the shop on its way from the monolith to services.
type Step struct {
	Number  int
	Area    string // what has left the trunk last; empty while nothing has
	Teaches string // the pattern it shows
	Moves   string // the tables that move as they are
	Derives string // what the service keeps of others' data
}

// Ladder is all steps in order. Everything else that the lab has to know of a step follows from what has left.
var Ladder = []Step{
	{Number: 0, Teaches: "a good monolith"},
	{Number: 1, Teaches: "strangler fig façade"},
	{Number: 2, Area: "notifications", Teaches: "transactional outbox, idempotent consumer; the token exchange",
		Moves: "notifications", Derives: "contacts from accounts"},
	{Number: 3, Area: "accounts", Teaches: "phantom token, anti-corruption at the edge; nobody is logged out",
		Moves: "accounts, sessions"},
	{Number: 4, Area: "catalog", Teaches: "parallel run, CQRS read model, foreign key to copy fed by events",
		Moves: "books without stock", Derives: "availability from stock, recent sales from orders"},
	{Number: 5, Area: "inventory", Teaches: "split table, reservation, branch by abstraction",
		Moves: "deliveries, keys of /v1/stock", Derives: "stock and reservations from books and orders"},
	{Number: 6, Area: "payments", Teaches: "saga with compensation, idempotent remote", Moves: "payments"},
	{Number: 7, Area: "shipping", Teaches: "choreography", Moves: "shipments"},
	{Number: 8, Area: "orders", Teaches: "orchestrated saga, moved whole",
		Moves: "carts, orders, keys of /v1/orders", Derives: "the copy of the books"},
}

// LastStep is the step without a trunk.
const LastStep = 8

// The steps at which something begins.
const (
	stepGateway = 1
	stepEvents  = 2
)

// services are all services, in the order in which the lab names and starts them.
var services = []string{"accounts", "catalog", "inventory", "orders", "payments", "shipping", "notifications"}

// FindStep returns a step by its number.
func FindStep(number int) (Step, error) {
	if number < 0 || number > LastStep {
		return Step{}, fmt.Errorf("there is no step %d: the ladder goes from 0 to %d (lab steps shows it)", number, LastStep)
	}
	return Ladder[number], nil
}

// Leaves says what leaves the monolith at the step.
func (s Step) Leaves() string {
	switch s.Number {
	case 0:
		return "nothing: the monolith"
	case stepGateway:
		return "nothing: the gateway goes in front"
	case LastStep:
		return s.Area + ": the monolith is gone"
	}
	return s.Area
}

// Extracted are the areas that have left, in the order in which they left.
func (s Step) Extracted() []string {
	var left []string
	for _, step := range Ladder[:s.Number+1] {
		if step.Area != "" {
			left = append(left, step.Area)
		}
	}
	return left
}

// Home is the process that an area lives in: a service of its own, or the trunk.
func (s Step) Home(area string) string {
	if slices.Contains(s.Extracted(), area) {
		return area
	}
	return Trunk
}

// Processes run at this step, besides PostgreSQL, NATS and the world outside. The trunk has the place of orders, which
// is the last to leave it.
func (s Step) Processes() []string {
	var names []string
	for _, area := range services {
		if home := s.Home(area); home == area || area == "orders" {
			names = append(names, home)
		}
	}
	if s.Number >= stepGateway {
		names = append(names, "gateway")
	}
	return names
}

// Front is the process that customers talk to.
func (s Step) Front() string {
	if s.Number >= stepGateway {
		return "gateway"
	}
	return Trunk
}

// Schemas are those that the step's processes live in.
func (s Step) Schemas() []string {
	var schemas []string
	for _, process := range s.Processes() {
		if process != "gateway" {
			schemas = append(schemas, SchemaOf(process))
		}
	}
	return schemas
}

// Durables are the consumers that read the stream, by the names that the broker knows them by.
func (s Step) Durables() []string {
	var names []string
	for _, process := range s.Processes() {
		switch process {
		case "gateway", "accounts": // consume nothing
		case Trunk:
			if s.Number >= 4 { // the copy of the books
				names = append(names, Monolith)
			}
		default:
			names = append(names, process)
		}
	}
	return names
}

// Connections is how many connections to the database a process may have. Those for requests are equal in sum on all
// steps: what an area has, it takes along when it leaves. A process that consumes events has some more.
func (s Step) Connections(process string) int {
	const forEvents = 4
	sum := 0
	for _, area := range services {
		if s.Home(area) == process {
			sum += requestConnections[area]
		}
	}
	if slices.Contains(s.Durables(), SchemaOf(process)) {
		sum += forEvents
	}
	return sum
}

// requestConnections are sixteen in all, which keeps the two processors busy that the report was made on
// (docs/benchmarks).
var requestConnections = map[string]int{
	"accounts": 2, "catalog": 3, "inventory": 2, "orders": 3, "payments": 2, "shipping": 2, "notifications": 2,
}

// TrunkVariables are what the trunk is told at this step, where there is one.
func (s Step) TrunkVariables() []string {
	if s.Number == LastStep {
		return nil
	}
	left := func(area string) bool { return s.Home(area) != Trunk }
	names := []string{"DATABASE_URL"}
	add := func(really bool, more ...string) {
		if really {
			names = append(names, more...)
		}
	}
	add(!left("payments"), "PROCESSOR_URL", "PROCESSOR_KEY")
	add(!left("notifications"), "SMTP_ADDR", "MAIL_FROM")
	add(left("notifications"), "EXTRACTED", "NATS_URL")
	add(left("notifications") && !left("accounts"), "SIGNING_KEYS", "CALLERS")
	add(left("accounts"), "ACCOUNTS_URL")
	add(left("inventory"), "SERVICE_KEY", "INVENTORY_URL")
	add(left("payments"), "PAYMENTS_URL")
	add(left("shipping"), "SHIPPING_URL")
	return names
}

// SideName is what people call a side: the monolith, the services, or a step in between.
func SideName(side string, step int) string {
	if side == Services && step < LastStep {
		return fmt.Sprintf("step %d", step)
	}
	return side
}

// sides are the names of the sides to run.
func sides(only string) ([]string, error) {
	switch only {
	case "":
		return []string{Monolith, Services}, nil
	case Monolith, Services:
		return []string{only}, nil
	}
	return nil, fmt.Errorf("there is no side %q: it is %s or %s", only, Monolith, Services)
}

// Processes are those of one side, by their names in the lab's state. The step is the services'.
func Processes(side string, step int) []string {
	if side == Monolith {
		return []string{Monolith}
	}
	return Ladder[step].Processes()
}

// SchemaOf is the schema that a process lives in, and the name by which the broker knows it.
func SchemaOf(process string) string {
	service := ServiceOf(process)
	if service == Trunk {
		return Monolith
	}
	return service
}

// sideOf is the side that a process belongs to.
func sideOf(process string) string {
	if ServiceOf(process) == Monolith {
		return Monolith
	}
	return Services
}

// exchanges says whether an area's customers come with a token that the gateway has exchanged. While accounts is in the
// same process, that process knows the session itself.
func (s Step) exchanges(area string) bool {
	return area != "accounts" && s.Home(area) != s.Home("accounts")
}

// accountsMoves says whether accounts may leave the trunk at this step or come back to it, while notifications runs.
// That service then asks both for the keys of tokens, and needs no restart.
func (s Step) accountsMoves() bool { return s.Number == stepEvents || s.Number == stepEvents+1 }

// stepOf is the step at which an area leaves the trunk.
func stepOf(area string) (Step, error) {
	for _, step := range Ladder {
		if area != "" && step.Area == area {
			return step, nil
		}
	}
	return Step{}, fmt.Errorf("there is no area %q: choose among %s", area, list(Ladder[LastStep].Extracted()))
}

// list is some names in a sentence.
func list(names []string) string { return strings.Join(names, ", ") }

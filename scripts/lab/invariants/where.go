package invariants

import (
	"strings"
	"time"
)

// The two sides of a lab: the monolith, and the shop that is taken apart.
const (
	Monolith = "monolith"
	Services = "services"
)

// Where says where a shop has left its traces.
type Where struct {
	Side       string // Monolith or Services; also the card processor's name for it
	Step       int    // of the ladder; of services only
	Database   string // the superuser's URL
	Broker     string // the administrator's URL; empty where there are no events yet
	OutsideURL string // the card processor and the mail
	// Since is from when on the world outside has kept all mail: it forgets it when it is restarted.
	Since time.Time
	// Planted are the ids of events that were made to be rejected, by each of these areas. Their dead letters break no rule.
	Planted, Readers []string
}

// Areas are the services' schemas at the end of the ladder.
var Areas = []string{"accounts", "catalog", "inventory", "orders", "payments", "shipping", "notifications"}

// leaves says at which step an area leaves the monolith's schema for its own.
var leaves = map[string]int{
	"notifications": 2, "accounts": 3, "catalog": 4, "inventory": 5, "payments": 6, "shipping": 7, "orders": 8,
}

// The steps from which on a shop has something to be judged.
const (
	always       = 0
	withEvents   = 2 // outboxes, and notifications' contacts
	withCatalog  = 4 // copies of the books, availability, recent sales
	withReserved = 5 // reservations
	withWishes   = 7 // a wish to cancel that shipping has to be asked about
	last         = 8
)

// step is that of the side's data: the monolith's never move.
func (w Where) step() int {
	if w.Side == Monolith {
		return 0
	}
	return w.Step
}

// left says whether an area has a schema of its own.
func (w Where) left(area string) bool { return leaves[area] <= w.step() }

// schemas are those in which events are written, read and put aside.
func (w Where) schemas() []string {
	var all []string
	for _, area := range Areas {
		if w.left(area) {
			all = append(all, area)
		}
	}
	if w.step() >= withEvents && w.step() < last {
		all = append(all, Monolith)
	}
	return all
}

// consumer says whether a durable consumer is one of this step's. Another may be left in the broker by a step before.
func (w Where) consumer(name string) bool {
	if name == Monolith {
		return w.step() >= withCatalog && w.step() < last
	}
	return w.left(name)
}

// inSchemas is a statement as the shop's database understands it. Rules name the services' schemas; what has not left
// the monolith is in its schema.
func (w Where) inSchemas(statement string) string {
	statement = strings.ReplaceAll(statement, "@shelves", w.shelves())
	statement = strings.ReplaceAll(statement, "@settled", w.settled())
	for _, area := range Areas {
		if !w.left(area) {
			statement = strings.ReplaceAll(statement, area+".", Monolith+".")
		}
	}
	return statement
}

// shelves is where the number of copies is kept. While inventory is in the monolith nothing is reserved: an order takes
// its copies at once.
func (w Where) shelves() string {
	if w.left("inventory") {
		return `select book_id, on_hand, reserved, version from inventory.stock`
	}
	return `select id as book_id, stock as on_hand, 0::bigint as reserved, stock_version as version from monolith.books`
}

// inEach joins the same expression over schemas.
func inEach(schemas []string, expression, by string) string {
	var all []string
	for _, schema := range schemas {
		all = append(all, "("+strings.ReplaceAll(expression, "@area", schema)+")")
	}
	if by == "+" {
		return "select " + strings.Join(all, " + ")
	}
	return strings.Join(all, " "+by+" ")
}

package points

import (
	"net/http"
	"slices"
	"strings"

	"banyan/scripts/lab/chaos/fault"
	"banyan/scripts/lab/up"
	"banyan/scripts/lab/wire"
)

// Point is a moment at which a process is killed.
type Point struct {
	What   string   // the moment, in words
	Victim string   // who dies
	On     wire.Way // where it is seen
	Kind   wire.Kind
	Phase  wire.Phase
	When   func(wire.Moment) bool // which messages it is; nil is all of the kind
	// Events says that the moment does not come while the broker is away.
	Events bool
}

// Name tells a point from all others.
func (p Point) Name() string { return p.What + ": " + p.Victim }

// Of are the points of a side, the services' at a step of the ladder that has events.
func Of(side string, number int) []Point {
	if side == up.Monolith {
		return ofMonolith()
	}
	step := up.Ladder[number]
	orders := step.Home("orders")
	all := slices.Concat(ofConsumers(step), ofRelays(step), ofSaga(step), ofCards(step.Home("payments")), []Point{mailSent("notifications")})
	if left(step, "shipping") {
		all = append(all, Point{What: "cancelled at shipping, not in orders", Victim: orders, On: wire.Way{From: orders, To: "shipping"},
			Kind: wire.Response, When: succeeded("/cancel")})
	}
	all = append(all, Point{What: "the order is settled, and its answer on the way", Victim: "gateway", On: wire.Way{From: "gateway", To: orders},
		Kind: wire.Response, When: func(m wire.Moment) bool { return m.Path == "/v1/orders" && m.Status == http.StatusCreated }})
	return append(all, ofDatabase(orders)...)
}

// left says whether an area is a service at the step.
func left(step up.Step, area string) bool { return step.Home(area) == area }

// atHome are the processes of some areas at the step, each once.
func atHome(step up.Step, areas ...string) (processes []string) {
	for _, area := range areas {
		if home := step.Home(area); !slices.Contains(processes, home) {
			processes = append(processes, home)
		}
	}
	return processes
}

func ofMonolith() []Point {
	database := wire.Way{From: up.Monolith, To: fault.Postgres}
	at := func(what string, kind wire.Kind, statement string) Point {
		return Point{What: what, Victim: up.Monolith, On: database, Kind: kind, When: runs(statement)}
	}
	return slices.Concat([]Point{
		at("before the commit that places an order", wire.Commit, "insert into orders"),
		at("order placed, not charged", wire.Committed, "insert into orders"),
		at("before the commit that settles an order", wire.Commit, "update orders"),
		at("order settled, not told", wire.Committed, "update orders"),
		mailSent(up.Monolith),
	}, ofCards(up.Monolith), ofDatabase(up.Monolith))
}

// ofConsumers are the two moments between which an event has its effect and its acknowledgement.
func ofConsumers(step up.Step) (all []Point) {
	for _, name := range atHome(step, "catalog", "inventory", "notifications", "orders", "payments", "shipping") {
		if !slices.Contains(step.Durables(), up.SchemaOf(name)) {
			continue
		}
		all = append(all,
			Point{What: "a consumer, before its commit", Victim: name, On: wire.Way{From: name, To: fault.Postgres},
				Kind: wire.Commit, When: runs("insert into inbox"), Events: true},
			Point{What: "a consumer, after its commit, before its acknowledgement", Victim: name, On: wire.Way{From: name, To: fault.NATS},
				Kind: wire.Ack, Events: true})
	}
	return all
}

// ofRelays are the moments around the publishing of an event. The broker dies of two of them.
func ofRelays(step up.Step) (all []Point) {
	event := func(m wire.Moment) bool { return strings.HasPrefix(m.Subject, "events.") }
	for _, name := range atHome(step, "inventory", "orders", "payments", "shipping") {
		broker := wire.Way{From: name, To: fault.NATS}
		all = append(all,
			Point{What: "a relay, before it publishes", Victim: name, On: broker, Kind: wire.Publish, When: event, Events: true},
			Point{What: "a relay, after it has published, before the row is marked", Victim: name, On: broker,
				Kind: wire.Published, When: event, Events: true})
	}
	broker := wire.Way{From: step.Home("orders"), To: fault.NATS}
	return append(all,
		Point{What: "the broker, before it has an event", Victim: fault.NATS, On: broker, Kind: wire.Publish, When: event, Events: true},
		Point{What: "the broker, before its word for an event", Victim: fault.NATS, On: broker, Kind: wire.Published, When: event, Events: true})
}

// ofSaga are the moments between the effects of a checkout. What is near takes part in the commits.
func ofSaga(step up.Step) []Point {
	orders := step.Home("orders")
	own := wire.Way{From: orders, To: fault.Postgres}
	inventory, payments := wire.Way{From: orders, To: "inventory"}, wire.Way{From: orders, To: "payments"}
	const reserve, charge = "/internal/v1/reservations", "/internal/v1/charges"
	all := []Point{
		{What: "before the commit that places an order", Victim: orders, On: own, Kind: wire.Commit, When: runs("insert into orders")},
		{What: "order placed, not reserved", Victim: orders, On: own, Kind: wire.Committed, When: runs("insert into orders")},
	}
	settling := "update orders"
	if left(step, "inventory") {
		settling = "merge into orders" // an order that is gone has to let the rest of the batch commit
		all = append(all,
			Point{What: "asked to reserve", Victim: "inventory", On: inventory, Kind: wire.Request, Phase: wire.After, When: to(reserve)},
			Point{What: "order reserved, not charged", Victim: orders, On: inventory, Kind: wire.Response, When: succeeded(reserve)})
	}
	if left(step, "payments") {
		all = append(all,
			Point{What: "asked to charge", Victim: "payments", On: payments, Kind: wire.Request, Phase: wire.After, When: to(charge)},
			Point{What: "order charged, not settled", Victim: orders, On: payments, Kind: wire.Response, When: succeeded(charge)})
	}
	return append(all,
		Point{What: "before the commit that settles an order", Victim: orders, On: own, Kind: wire.Commit, When: runs(settling)},
		Point{What: "order settled, not told", Victim: orders, On: own, Kind: wire.Committed, When: runs(settling)})
}

// ofCards are the moments around what the card processor does, of which the shop knows nothing yet.
func ofCards(who string) []Point {
	cards := wire.Way{From: who, To: fault.Outside}
	return []Point{
		{What: "before the charge", Victim: who, On: cards, Kind: wire.Request, When: to("/charges")},
		{What: "after the charge, before its record", Victim: who, On: cards, Kind: wire.Response, When: succeeded("/charges")},
		{What: "after the refund, before its record", Victim: who, On: cards, Kind: wire.Response, When: succeeded("/refunds"),
			Events: who == "payments"},
	}
}

// ofDatabase are the deaths of the database itself around the commit that places an order.
func ofDatabase(who string) []Point {
	database := wire.Way{From: who, To: fault.Postgres}
	return []Point{
		{What: "the database, before a commit", Victim: fault.Postgres, On: database, Kind: wire.Commit, When: runs("insert into orders")},
		{What: "the database, after a commit, before its word", Victim: fault.Postgres, On: database, Kind: wire.Committed, When: runs("insert into orders")},
	}
}

func mailSent(who string) Point {
	return Point{What: "mail sent, not written down", Victim: who, On: wire.Way{From: who, To: fault.Postgres},
		Kind: wire.Commit, When: runs("set status = 'sent'"), Events: who != up.Monolith}
}

// runs is a transaction with a statement that contains a text.
func runs(text string) func(wire.Moment) bool {
	return func(m wire.Moment) bool {
		return slices.ContainsFunc(m.Statements, func(s string) bool { return strings.Contains(s, text) })
	}
}

func to(path string) func(wire.Moment) bool {
	return func(m wire.Moment) bool { return m.Method == http.MethodPost && m.Path == path }
}

// succeeded is an answer that says yes.
func succeeded(path string) func(wire.Moment) bool {
	return func(m wire.Moment) bool { return strings.HasSuffix(m.Path, path) && m.Status >= 200 && m.Status < 300 }
}

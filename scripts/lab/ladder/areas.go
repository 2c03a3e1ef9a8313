package ladder

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"

	"banyan/migrations"
)

// Monolith is the owner of an area that has not left.
const Monolith = "monolith"

// Area is what leaves the monolith at a step. Its name is also that of the service and
// of its schema.
type Area struct {
	Name    string
	Step    int
	roots   []root    // in an order that satisfies the foreign keys
	settled []settled // copied after the roots
}

// root is the row that names an aggregate. Its tables begin with the root's own; a
// table's rows are found by the column that holds the root's key.
type root struct {
	name    string
	keyType string
	tables  []table
}

type table struct{ name, key string }

// settled is a table whose rows never change once they are settled. They are copied by
// comparison, and need no notes.
type settled struct {
	name string
	when string // the condition that a row is settled
}

// Areas are the areas in the order in which they leave.
var Areas = []Area{
	{Name: "notifications", Step: 2, roots: []root{
		{"account", "uuid", []table{{"contacts", "account_id"}}},
		{"notification", "uuid", []table{{"notifications", "id"}}},
	}},
	{Name: "accounts", Step: 3, roots: []root{
		{"account", "uuid", []table{{"accounts", "id"}}},
		{"session", "bytea", []table{{"sessions", "token_hash"}}},
	}},
	{Name: "catalog", Step: 4, roots: []root{
		{"book", "uuid", []table{{"books", "id"}, {"availability", "book_id"}}},
		{"order", "uuid", []table{{"recent_orders", "order_id"}, {"recent_order_items", "order_id"}}},
	}},
	{Name: "inventory", Step: 5, roots: []root{
		{"book", "uuid", []table{{"stock", "book_id"}}},
		{"order", "uuid", []table{{"reservations", "order_id"}, {"reservation_items", "order_id"}}},
	}, settled: []settled{
		{"deliveries", "true"},
		{"idempotency_keys", "status is not null"}, // answered
	}},
	{Name: "payments", Step: 6, roots: []root{
		{"order", "uuid", []table{{"payments", "order_id"}}},
	}},
	{Name: "shipping", Step: 7, roots: []root{
		{"order", "uuid", []table{{"shipments", "order_id"}}},
	}},
	{Name: "orders", Step: 8, roots: []root{
		{"book", "uuid", []table{{"books", "id"}}},
		{"cart", "uuid", []table{{"carts", "account_id"}, {"cart_items", "account_id"}}},
		{"order", "uuid", []table{{"orders", "id"}, {"order_items", "order_id"}}},
	}, settled: []settled{
		{"idempotency_keys", "status is not null"},
	}},
}

// areaNamed finds an area.
func areaNamed(name string) (Area, error) {
	for _, area := range Areas {
		if area.Name == name {
			return area, nil
		}
	}
	return Area{}, fmt.Errorf("there is no area %q that leaves the monolith", name)
}

// folder is where the area's SQL is.
func (a Area) folder() string { return fmt.Sprintf("%d-%s", a.Step, a.Name) }

// sql reads one of the area's files.
func (a Area) sql(name string) (string, error) {
	text, err := fs.ReadFile(migrations.Extract, path.Join(a.folder(), name+".sql"))
	return string(text), err
}

// checksum identifies the area's SQL.
func (a Area) checksum() (string, error) {
	sum := sha256.New()
	files, err := fs.Glob(migrations.Extract, path.Join(a.folder(), "*.sql"))
	if err != nil {
		return "", err
	}
	for _, file := range files {
		text, err := fs.ReadFile(migrations.Extract, file)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(sum, "%s %d\n%s", file, len(text), text)
	}
	return hex.EncodeToString(sum.Sum(nil))[:16], nil
}

// view derives a table of the service from the monolith's tables.
func (a Area) view(table string) string { return "extract." + a.Name + "_" + table }

// target is the service's table.
func (a Area) target(table string) string { return a.Name + "." + table }

// all are the tables of the service that the area's views fill.
func (a Area) all() []string {
	var names []string
	for _, r := range a.roots {
		for _, t := range r.tables {
			names = append(names, t.name)
		}
	}
	for _, s := range a.settled {
		names = append(names, s.name)
	}
	return names
}

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
	Name  string
	Step  int
	forth course // from the monolith to the service
	back  course
}

// course is what is copied in one direction.
type course struct {
	roots   []root    // in an order that satisfies the foreign keys
	settled []settled // copied after the roots
	plant   plant
}

// root is the row that names an aggregate. Its tables begin with the root's own; a
// table's rows are found by the column that holds the root's key.
type root struct {
	name    string
	keyType string
	tables  []table
}

// table is one of the tables that are written.
type table struct {
	name, key string
	derived   bool // events keep it after the switch, so it never comes back
}

// settled is a table whose rows never change once they are settled. They are copied by
// comparison, and need no notes.
type settled struct {
	name string
	when string // the condition that a row is settled
	of   string // the condition that a row of the target belongs to the area
}

// plant is where Plant spoils a row.
type plant struct {
	from, fromColumn, fromKey string // what the view derives toColumn from
	to, toColumn              string // a table of a root
	change                    string // of either column, for which %s stands
}

// Areas are the areas in the order in which they leave.
var Areas = []Area{
	{
		Name: "notifications", Step: 2,
		forth: course{
			roots: []root{
				{"account", "uuid", []table{{"contacts", "account_id", true}}},
				{"notification", "uuid", []table{{"notifications", "id", false}}},
			},
			plant: same("notifications", "id", "subject", text),
		},
		back: course{
			roots: []root{{"notification", "uuid", []table{{"notifications", "id", false}}}},
			plant: same("notifications", "id", "subject", text),
		},
	},
	both("accounts", 3, course{
		roots: []root{
			{"account", "uuid", []table{{"accounts", "id", false}}},
			{"session", "bytea", []table{{"sessions", "token_hash", false}}},
		},
		plant: same("accounts", "id", "name", text),
	}),
	{
		Name: "catalog", Step: 4,
		forth: course{
			roots: []root{
				{"book", "uuid", []table{{"books", "id", false}, {"availability", "book_id", true}}},
				{"order", "uuid", []table{{"recent_orders", "order_id", true}, {"recent_order_items", "order_id", true}}},
			},
			plant: same("books", "id", "title", text),
		},
		back: course{
			roots: []root{{"book", "uuid", []table{{"books", "id", false}}}},
			plant: same("books", "id", "title", text),
		},
	},
	{
		Name: "inventory", Step: 5,
		forth: course{
			roots: []root{
				{"book", "uuid", []table{{"stock", "book_id", false}}},
				{"order", "uuid", []table{{"reservations", "order_id", false}, {"reservation_items", "order_id", false}}},
			},
			settled: []settled{
				{"deliveries", "true", "true"},
				{"idempotency_keys", "status is not null", "true"}, // answered
			},
			plant: plant{"books", "stock", "id", "stock", "on_hand", number},
		},
		back: course{
			roots: []root{{"book", "uuid", []table{{"books", "id", false}}}},
			settled: []settled{
				{"deliveries", "true", "true"},
				{"idempotency_keys", "status is not null", "path like '/v1/stock/%'"},
			},
			plant: plant{"stock", "on_hand", "book_id", "books", "stock", number},
		},
	},
	both("payments", 6, course{
		roots: []root{{"order", "uuid", []table{{"payments", "order_id", false}}}},
		plant: same("payments", "order_id", "amount", number),
	}),
	both("shipping", 7, course{
		roots: []root{{"order", "uuid", []table{{"shipments", "order_id", false}}}},
		plant: same("shipments", "order_id", "created_at", moment),
	}),
	both("orders", 8, course{
		roots: []root{
			{"book", "uuid", []table{{"books", "id", false}}},
			{"cart", "uuid", []table{{"carts", "account_id", false}, {"cart_items", "account_id", false}}},
			{"order", "uuid", []table{{"orders", "id", false}, {"order_items", "order_id", false}}},
		},
		settled: []settled{{"idempotency_keys", "status is not null", "path like '/v1/orders%'"}},
		plant:   same("orders", "id", "total", number),
	}),
}

// The changes that Plant makes to a value of each kind.
const (
	text   = `%s || ' '`
	number = `%s + 1`
	moment = `%s + interval '1 second'`
)

// both is an area of which the same comes back that went.
func both(name string, step int, c course) Area {
	return Area{Name: name, Step: step, forth: c, back: c}
}

// same is the plant of a table that is the same on both sides.
func same(table, key, column, change string) plant {
	return plant{table, column, key, table, column, change}
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

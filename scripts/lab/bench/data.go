package bench

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"banyan/internal/postgres"
	"banyan/scripts/lab/up"
)

// AreaData is what a side holds of one kind of thing: how many, and the sum of a hash of each, which does not depend on
// their order.
type AreaData struct {
	Rows     int64  `json:"rows"`
	Checksum string `json:"checksum"`
}

// kinds are what has to be equal before a run, with the columns that make it up. Ids of what customers made are not
// among them, for each side makes its own. Statements name the services' schemas.
var kinds = []struct{ name, of string }{
	{"books", `
		select row(isbn, title, authors, subject, publisher, published_on, description, price, version)::text
		from catalog.books`},
	{"stock", `
		select row(b.isbn, s.available)::text
		from (@shelves) s
		join catalog.books b on b.id = s.book_id`},
	{"accounts", `
		select row(lower(email), name, role)::text
		from accounts.accounts`},
	{"orders", `
		select row(lower(a.email), o.status, o.cancel_reason, o.total, o.shipping_address, array(
			select row(b.isbn, i.quantity, i.unit_price)::text
			from orders.order_items i
			join catalog.books b on b.id = i.book_id
			where i.order_id = o.id
			order by b.isbn
		))::text
		from orders.orders o
		join accounts.accounts a on a.id = o.account_id`},
}

// shelves is where the number of copies that can be bought is kept, by the schema that inventory lives in.
var shelves = map[string]string{
	up.Monolith: `select id as book_id, stock as available from monolith.books`,
	"inventory": `select book_id, on_hand - reserved as available from inventory.stock`,
}

// readData sums up what a side's database holds. Areas that have not left yet are in the monolith's schema.
func readData(ctx context.Context, database, home string, step up.Step) (map[string]AreaData, error) {
	config, err := postgres.ParseConfig(database)
	if err != nil {
		return nil, fmt.Errorf("the lab does not tell where the database of the %s is", home) // the cause would show the password
	}
	config.RuntimeParams["application_name"] = benchName
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("look what the %s holds: %w", home, err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	found := map[string]AreaData{}
	for _, kind := range kinds {
		statement := strings.ReplaceAll(kind.of, "@shelves", shelves[up.SchemaOf(step.Home("inventory"))])
		for _, area := range []string{"accounts", "catalog", "orders"} {
			statement = strings.ReplaceAll(statement, area+".", up.SchemaOf(step.Home(area))+".")
		}
		var data AreaData
		err := conn.QueryRow(ctx, `
			select count(*), coalesce(sum(('x' || left(md5(what), 15))::bit(60)::bigint), 0)::text
			from (`+statement+`) as content (what)`).Scan(&data.Rows, &data.Checksum)
		if err != nil {
			return nil, fmt.Errorf("look what %s the %s has: %w", kind.name, home, err)
		}
		found[kind.name] = data
	}
	return found, nil
}

// differences says where sides do not hold the same as the first of them, one sentence each.
func differences(data map[string]map[string]AreaData) []string {
	homes := slices.Sorted(maps.Keys(data)) // in the ladder's order
	if len(homes) < 2 {
		return nil
	}
	var found []string
	for _, home := range homes[1:] {
		for _, kind := range kinds {
			a, b := data[homes[0]][kind.name], data[home][kind.name]
			switch {
			case a.Rows != b.Rows:
				found = append(found, fmt.Sprintf("%s %d %s and %s %d", has(homes[0]), a.Rows, kind.name, has(home), b.Rows))
			case a.Checksum != b.Checksum && len(homes) == 2:
				found = append(found, fmt.Sprintf("the %s of the two differ", kind.name))
			case a.Checksum != b.Checksum:
				found = append(found, fmt.Sprintf("the %s of %s differ from those of %s", kind.name, home, homes[0]))
			}
		}
	}
	return found
}

// has is a home with its verb.
func has(home string) string {
	switch home {
	case up.Monolith:
		return "the monolith has"
	case up.Services:
		return "the services have"
	}
	return home + " has"
}

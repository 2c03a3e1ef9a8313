package bench

import (
	"context"
	"fmt"
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

// shelves is where the number of copies that can be bought is kept.
var shelves = map[string]string{
	up.Monolith: `select id as book_id, stock as available from catalog.books`,
	up.Services: `select book_id, on_hand - reserved as available from inventory.stock`,
}

// readData sums up what a side's database holds. In the monolith's, one schema has all areas.
func readData(ctx context.Context, database, home string) (map[string]AreaData, error) {
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
		statement := strings.ReplaceAll(kind.of, "@shelves", shelves[home])
		if home == up.Monolith {
			for _, schema := range []string{"accounts", "catalog", "orders"} {
				statement = strings.ReplaceAll(statement, schema+".", up.Monolith+".")
			}
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

// differences says where two sides do not hold the same, one sentence each.
func differences(data map[string]map[string]AreaData) []string {
	one, other := data[up.Monolith], data[up.Services]
	if one == nil || other == nil {
		return nil
	}
	var found []string
	for _, kind := range kinds {
		a, b := one[kind.name], other[kind.name]
		switch {
		case a.Rows != b.Rows:
			found = append(found, fmt.Sprintf("the monolith has %d %s and the services have %d", a.Rows, kind.name, b.Rows))
		case a.Checksum != b.Checksum:
			found = append(found, fmt.Sprintf("the %s of the two differ", kind.name))
		}
	}
	return found
}

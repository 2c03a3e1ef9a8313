package migrations_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"banyan/internal/postgres"
	"banyan/internal/testdb"
	"banyan/migrations"
)

// What a schema held before text was kept in NFC, with ë and é in two characters
// each. Of the five people, the second and the third have one address, and so have the
// fourth and the fifth.
const (
	people = `
		insert into accounts (id, email, name, password_hash, role, created_at) values
			('01900000-0000-7000-8000-000000000001', 'zoe` + "\u0308" + `@example.org', 'Zoe` + "\u0308" + `', 'x', 'customer', '2025-01-01'),
			('01900000-0000-7000-8000-000000000002', 'rene` + "\u0301" + `@example.org', 'Rene` + "\u0301" + `', 'x', 'customer', '2025-01-02'),
			('01900000-0000-7000-8000-000000000003', 'REN` + "\u00c9" + `@example.org', 'Eve', 'x', 'customer', '2025-01-03'),
			('01900000-0000-7000-8000-000000000004', 'e` + "\u0323\u0302" + `@example.org', 'Ada', 'x', 'customer', '2025-01-04'),
			('01900000-0000-7000-8000-000000000005', '` + "\u00ea\u0323" + `@example.org', 'Ben', 'x', 'customer', '2025-01-05')`
	shelf = `
		insert into books (id, isbn, title, authors, subject, publisher, description, price) values
			('01900000-0000-7000-8000-000000000011', '1', 'E` + "\u0301" + `té', '{"Rene` + "\u0301" + `","B"}', 'poe` + "\u0301" + `sie', 'De` + "\u0301" + `', 'e` + "\u0301" + `', 1),
			('01900000-0000-7000-8000-000000000012', '2', 'Plain', '{"A"}', 'novels', null, E'a\fb\u2028c\td', 1),
			('01900000-0000-7000-8000-000000000013', '3', 'Long', '{"A"}', 'novels', null, 'a' || repeat(E' \n\u00a0', 1500) || 'b', 1)`
	bought = `
		insert into orders (id, account_id, status, total, shipping_address, placed_at) values
			('01900000-0000-7000-8000-000000000021', '01900000-0000-7000-8000-000000000001', 'paid', 1, '{"name": "Zoe` + "\u0308" + `", "city": "Be` + "\u0301" + `"}', now());
		insert into order_items (order_id, position, book_id, title, quantity, unit_price) values
			('01900000-0000-7000-8000-000000000021', 1, '01900000-0000-7000-8000-000000000011', 'E` + "\u0301" + `té', 1, 1)`
	parcel = `
		insert into shipments (id, order_id, account_id, status, address, created_at) values
			('01900000-0000-7000-8000-000000000031', '01900000-0000-7000-8000-000000000021', '01900000-0000-7000-8000-000000000001', 'preparing', '{"name": "Zoe` + "\u0308" + `"}', now())`
	mail = `
		insert into notifications (id, account_id, kind, to_address, subject, body) values
			('01900000-0000-7000-8000-000000000041', '01900000-0000-7000-8000-000000000001', 'welcome', 'zoe` + "\u0308" + `@example.org', 'Welcome', 'Hello Zoe` + "\u0308" + `')`
	copies = `
		insert into books (id, title, price, version) values ('01900000-0000-7000-8000-000000000011', 'E` + "\u0301" + `té', 1, 1)`
	contacts = `
		insert into contacts (account_id, email, name) values ('01900000-0000-7000-8000-000000000001', 'zoe` + "\u0308" + `@example.org', 'Zoe` + "\u0308" + `')`
)

// What it is to hold afterwards.
var (
	peopleAfter = map[string][]string{
		`select email || ' ' || name from accounts order by id`: {
			"zoë@example.org Zoë", "rene\u0301@example.org René", "RENÉ@example.org Eve", "ệ@example.org Ada", "\u00ea\u0323@example.org Ben"},
	}
	shelfAfter = map[string][]string{
		`select concat_ws(' ', title, authors, subject, publisher, description) from books where isbn = '1'`: {"Été {René,B} poésie Dé é"},
		`select description from books where isbn > '1' order by isbn`:                                       {"a\nb\nc\td", "a b"},
		`select title from books where words @@ book_query('été ren')`:                                       {"Été"},
	}
	boughtAfter = map[string][]string{
		`select concat_ws(' ', shipping_address->>'name', shipping_address->>'city', title) from orders o join order_items i on i.order_id = o.id`: {"Zoë Bé Été"},
	}
	parcelAfter   = map[string][]string{`select address->>'name' from shipments`: {"Zoë"}}
	mailAfter     = map[string][]string{`select to_address || ' ' || body from notifications`: {"zoë@example.org Hello Zoë"}}
	copiesAfter   = map[string][]string{`select title from books`: {"Été"}}
	contactsAfter = map[string][]string{`select email || ' ' || name from contacts`: {"zoë@example.org Zoë"}}
)

// A schema with data from before gets its text in NFC. An address that two accounts
// have then stays with the one that had it in NFC, or with the older one.
func TestTextBecomesNFC(t *testing.T) {
	t.Parallel()
	db := testdb.New(t, migrations.FS)
	for schema, c := range map[string]struct {
		before []string
		after  []map[string][]string
	}{
		"monolith": {[]string{people, shelf, bought, parcel, mail},
			[]map[string][]string{peopleAfter, shelfAfter, boughtAfter, parcelAfter, mailAfter}},
		"accounts":      {[]string{people}, []map[string][]string{peopleAfter}},
		"catalog":       {[]string{shelf}, []map[string][]string{shelfAfter}},
		"orders":        {[]string{copies, bought}, []map[string][]string{copiesAfter, boughtAfter}},
		"shipping":      {[]string{parcel}, []map[string][]string{parcelAfter}},
		"notifications": {[]string{contacts, mail}, []map[string][]string{contactsAfter, mailAfter}},
	} {
		t.Run(schema, func(t *testing.T) {
			t.Parallel()
			url, owner := db.URL(schema+"_owner"), db.Pool(schema+"_owner")
			goBefore(t, history(t, db, schema), "text")
			_, err := owner.Exec(t.Context(), strings.Join(c.before, ";"), pgx.QueryExecModeSimpleProtocol)
			require.NoError(t, err)
			_, err = postgres.Migrate(t.Context(), url, migrations.Of(schema))
			require.NoError(t, err)
			for _, after := range c.after {
				for query, want := range after {
					require.Equal(t, want, ask[string](t, owner, query), query)
				}
			}
		})
	}
}

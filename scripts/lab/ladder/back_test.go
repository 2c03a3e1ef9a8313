package ladder

import (
	"fmt"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"banyan/migrations"
)

var number26 = regexp.MustCompile(`#(\d+)`)

// shopSQL is SQL in which #26 stands for the id of that number.
func shopSQL(sql string) string {
	return number26.ReplaceAllStringFunc(sql, func(n string) string {
		return fmt.Sprintf(`'01900000-0000-7000-8000-%012s'`, n[1:])
	})
}

// trip is what happens to an area that goes forth, back, and forth again.
type trip struct {
	area      string
	copied    string // at the service, after the switch, and copied at once
	last      string // at the service, and noted when the area goes back
	atHome    string // at the monolith, when it is back
	event     string // that the area publishes; none: it publishes nothing
	questions map[string][]string
}

const newOrder = `
	insert into monolith.orders (id, account_id, status, total, shipping_address, placed_at, card_token)
		values (#26, #16, 'pending', 200, '{"city": "Ur"}', '2026-02-06', 'tok26');
	insert into monolith.order_items values (#26, 1, #1, 'Book 1', 2, 100);`

var trips = []trip{
	{
		area: "notifications",
		copied: `
			insert into notifications.notifications (id, account_id, order_id, kind, to_address, subject, body)
				values (#401, #12, #22, 'order_paid', 'x', 'paid', 'x'), (#402, #13, #23, 'order_paid', 'x', 'paid', 'x');
			update monolith.accounts set name = 'Grace' where id = #11;
			insert into monolith.accounts values (#17, '17@example.org', 'Ada 17', 'x', 'customer', '2026-01-01');
			insert into notifications.contacts values (#18, 'x', 'of an account that is gone')`,
		last: `
			update notifications.notifications set status = 'sent', sent_at = '2026-02-07', claimed_until = null where id = #311;
			delete from notifications.notifications where id in (#312, #402)`,
		atHome: `
			update monolith.notifications set status = 'sent', sent_at = '2026-02-08' where id = #401;
			delete from monolith.notifications where id = #313;
			update monolith.accounts set name = 'Hopper' where id = #12`,
	},
	{
		area: "accounts",
		copied: `
			insert into accounts.accounts values (#17, '17@example.org', 'Ada 17', 'x', 'customer', '2026-01-01');
			insert into accounts.sessions values ('\x17', #17, '2026-01-01', '2030-01-01'), ('\x18', #17, '2026-01-01', '2030-01-01');
			insert into monolith.carts values (#17)`,
		last: `
			delete from accounts.sessions where token_hash in (sha256('11'), '\x18');
			update accounts.accounts set name = 'Grace' where id = #12;
			insert into accounts.accounts values (#18, '18@example.org', 'Ada 18', 'x', 'customer', '2026-01-01')`,
		atHome: `
			delete from monolith.sessions where token_hash = sha256('12');
			insert into monolith.accounts values (#19, '19@example.org', 'Ada 19', 'x', 'customer', '2026-01-01');
			insert into monolith.sessions values ('\x19', #19, '2026-01-01', '2030-01-01');
			update monolith.accounts set name = 'Hopper' where id = #17`,
		event: "account.registered",
	},
	{
		area: "catalog",
		copied: `
			insert into catalog.books (id, isbn, title, authors, subject, price)
				values (#6, '6', 'Book 6', array['C'], 'novels', 600), (#7, '7', 'Book 7', array['C'], 'novels', 700);
			insert into monolith.books (id, title, price, version) values (#6, 'Book 6', 600, 1);
			update monolith.orders set status = 'paid' where id = #21;
			update monolith.books set stock = 7, stock_version = 9 where id = #1`,
		last: `
			update catalog.books set title = 'Book One', version = 2, authors = array['Z'] where id = #1;
			delete from catalog.books where id = #7`,
		atHome: `
			update monolith.books set title = 'Book Two', version = 2 where id = #2;
			update monolith.books set stock = 3, stock_version = 10 where id = #6;
			insert into monolith.books (id, isbn, title, authors, subject, price) values (#8, '8', 'Book 8', array['C'], 'novels', 800)`,
		event: "book.changed",
		questions: map[string][]string{
			`select concat_ws(' ', stock, title, words::text) from monolith.books where id = #1`:            {"7 Book One 'book':1 'one':2 'z':3"},
			`select concat_ws(' ', available, version) from catalog.availability where book_id in (#1, #6)`: {"7 9", "3 10"},
			`select right(order_id::text, 2) from catalog.recent_orders order by 1`:                         {"21", "22", "23", "24", "25"},
			`select count(*)::text from catalog.recent_order_items where order_id = #21`:                    {"2"},
		},
	},
	{
		area: "inventory",
		// Order 26 reserves. Inventory has not heard yet that 21 and 28 are paid, and 22 and 27
		// cancelled.
		copied: newOrder + `
			insert into inventory.reservations (order_id, status) values (#26, 'reserved');
			insert into inventory.reservation_items values (#26, #1, 2);
			update inventory.stock set reserved = reserved + 2, version = version + 1 where book_id = #1;
			insert into inventory.reservations (order_id, status, short) values (#29, 'refused', '[]');
			insert into catalog.books (id, isbn, title, authors, subject, price) values (#6, '6', 'Book 6', array['C'], 'novels', 600);
			insert into inventory.stock values (#6, 4, 0, 1);
			insert into inventory.deliveries values (#106, #6, 4, '2026-02-07');
			insert into inventory.idempotency_keys (account_id, method, path, key, fingerprint, about, status)
				values (#11, 'POST', '/v1/stock/y/deliveries', 'new', '\x01', #6, 201)`,
		last: `
			update monolith.orders set status = 'paid', card_token = null where id = #21;
			update monolith.orders set status = 'cancelled', cancel_reason = 'customer' where id = #22;
			update inventory.stock set on_hand = on_hand + 5, version = version + 1 where book_id = #3;
			insert into inventory.deliveries values (#107, #3, 5, '2026-02-07');
			delete from inventory.idempotency_keys where key = 'key 3';
			insert into monolith.orders (id, account_id, status, total, shipping_address, placed_at, cancel_reason) values
				(#27, #12, 'cancelled', 200, '{}', '2026-02-07', 'declined'), (#28, #13, 'paid', 200, '{}', '2026-02-07', null);
			insert into monolith.order_items values (#27, 1, #5, 'Book 5', 3, 100), (#28, 1, #4, 'Book 4', 1, 100);
			insert into inventory.reservations (order_id, status) values (#27, 'reserved'), (#28, 'reserved');
			insert into inventory.reservation_items values (#27, #5, 3), (#28, #4, 1);
			update inventory.stock set reserved = reserved + 3, version = version + 1 where book_id = #5;
			update inventory.stock set reserved = reserved + 1, version = version + 1 where book_id = #4`,
		atHome: `
			update monolith.orders set status = 'paid', card_token = null where id = #26;
			update monolith.books set stock = stock + 1, stock_version = stock_version + 1 where id = #4;
			insert into monolith.deliveries values (#108, #4, 1, '2026-02-08');
			delete from monolith.idempotency_keys where key = 'key 2' and path like '/v1/stock/%'`,
		event: "stock.changed",
		questions: map[string][]string{
			`select concat_ws(' ', stock, title) from monolith.books order by id`: {
				"10 Book 1", "12 Book 2", "15 Book 3", "10 Book 4", "10 Book 5", "4 Book 6"},
			`select concat_ws(' ', on_hand, reserved) from inventory.stock order by book_id`: {"10 0", "12 0", "15 0", "10 0", "10 0", "4 0"},
			`select concat_ws(' ', right(order_id::text, 2), status) from inventory.reservations order by order_id`: {
				"21 committed", "22 released", "23 committed", "24 released", "25 released", "26 committed", "27 released", "28 committed"},
			`select concat_ws(' ', path, key) from inventory.idempotency_keys order by 1`: {
				"/v1/stock/x/deliveries key 1", "/v1/stock/y/deliveries new"},
			`select count(*)::text from monolith.idempotency_keys where path = '/v1/orders'`: {"3"},
		},
	},
	{
		area: "payments",
		copied: newOrder + `
			update payments.payments set status = 'captured', card_token = null where order_id = #21;
			insert into payments.payments (id, order_id, account_id, status, amount, created_at) values (#128, #28, #16, 'void', 100, '2026-02-06')`,
		last: `
			update monolith.orders set status = 'cancelled', cancel_reason = 'customer' where id = #22;
			update monolith.orders set status = 'paid', card_token = null where id = #21;
			update payments.payments set refused = true where order_id = #23;
			delete from payments.payments where order_id = #24`,
		atHome: `
			update monolith.payments set status = 'captured', card_token = null where order_id = #26;
			update monolith.orders set status = 'paid' where id = #26;
			update monolith.payments set status = 'refunded' where order_id = #22;
			delete from monolith.payments where order_id = #25`,
		event: "payment.captured",
		questions: map[string][]string{
			`select concat_ws(' ', right(order_id::text, 2), status) from payments.payments order by order_id`: {
				"21 captured", "22 refunded", "23 captured", "26 captured"},
		},
	},
	{
		area: "shipping",
		copied: newOrder + `
			update monolith.orders set status = 'paid', card_token = null where id = #26;
			insert into shipping.shipments values (#226, #26, #16, 'preparing', null, '{}', '2026-02-06');
			update shipping.shipments set status = 'dispatched', tracking_number = 'BN2' where order_id = #22`,
		last: `
			insert into shipping.shipments values (#225, #25, #15, 'cancelled', null, null, '2026-02-06');
			delete from shipping.shipments where order_id = #24`,
		atHome: `
			update monolith.shipments set status = 'dispatched', tracking_number = 'BN3' where order_id = #26;
			delete from monolith.shipments where order_id = #25;
			insert into monolith.shipments values (#224, #24, #14, 'cancelled', null, '{}', '2026-02-06')`,
		event: "shipment.dispatched",
		questions: map[string][]string{
			`select status from monolith.orders where id in (#22, #26) order by id`: {"shipped", "paid"},
			`select right(order_id::text, 2) from shipping.shipments order by 1`:    {"22", "23", "24", "26"},
		},
	},
	{
		area: "orders",
		copied: `
			insert into orders.books values (#6, 'Book 6', 600, 1);
			update orders.books set title = 'Book One', version = 2 where id = #1;
			insert into orders.carts values (#14);
			insert into orders.cart_items values (#14, #6, 3, '2026-02-07');
			update orders.orders set status = 'paid', card_token = null where id = #21;
			insert into orders.orders (id, account_id, status, total, shipping_address, placed_at, card_token)
				values (#26, #11, 'pending', 100, '{}', '2026-02-07', 'tok26'), (#27, #17, 'pending', 100, '{}', '2026-02-07', 'tok27');
			insert into orders.order_items values (#26, 1, #6, 'Book 6', 1, 600), (#27, 1, #6, 'Book 6', 1, 600);
			insert into orders.idempotency_keys (account_id, method, path, key, fingerprint, about, status)
				values (#11, 'POST', '/v1/orders', 'new', '\x01', #26, 201)`,
		last: `
			delete from orders.cart_items where account_id = #11;
			update orders.carts set version = version + 1 where account_id = #11;
			delete from orders.carts where account_id = #13;
			update orders.orders set cancel_requested_at = '2026-02-07' where id = #22;
			delete from orders.order_items where order_id = #27;
			delete from orders.orders where id = #27;
			delete from orders.idempotency_keys where key = 'key 2'`,
		atHome: `
			insert into monolith.cart_items values (#12, #6, 1, '2026-02-08');
			delete from monolith.cart_items where account_id = #14;
			update monolith.orders set status = 'cancelled', cancel_reason = 'declined', card_token = null where id = #26;
			delete from monolith.order_items where order_id = #25;
			delete from monolith.orders where id = #25;
			delete from monolith.idempotency_keys where key = 'key 3'`,
		event: "order.paid",
	},
}

// twins are the tables of an area that have the same rows on both sides, with the columns
// that only one of them has.
func twins(area string) (tables, without []string) {
	for _, a := range Areas {
		if a.Name == area && area != "inventory" {
			tables = a.wayBack().all()
		}
	}
	return slices.DeleteFunc(tables, func(name string) bool { return name == "idempotency_keys" }),
		[]string{"claimed_until", "refused", "words", "age", "stock", "stock_version"}
}

func rowsOf(t *testing.T, conn *pgx.Conn, schema, area string) map[string][]string {
	t.Helper()
	tables, without := twins(area)
	all := map[string][]string{}
	for _, name := range tables {
		all[name] = contents(t, conn, schema+"."+name, without)
	}
	return all
}

// equalSides demands that both sides are equal, and that the report says so of each table.
func equalSides(t *testing.T, c *Copier, tables int) {
	t.Helper()
	report, err := c.Verify(t.Context(), 0)
	require.NoError(t, err)
	require.Zero(t, report.Drifted, report.String())
	require.Len(t, report.Checksums, tables)
	for _, sum := range report.Checksums {
		require.Equal(t, sum.Owner, sum.Other, sum.Table)
		require.Positive(t, sum.Owner.Rows, sum.Table)
	}
}

// An area that goes forth, back and forth again has the same rows on both sides each time,
// however its owner has changed them, and leaves no trace in the catalog when it is back.
func TestThereAndBack(t *testing.T) {
	t.Parallel()
	for n, trip := range trips {
		area := Areas[n]
		require.Equal(t, area.Name, trip.area)
		t.Run(trip.area, func(t *testing.T) {
			t.Parallel()
			url := openShop(t)
			require.NoError(t, Climb(t.Context(), url, area.Step-1, quiet))
			conn := connect(t, url)
			defer conn.Close(t.Context())
			run(t, conn, `update monolith.outbox set stream_seq = 1, published_at = now() where stream_seq is null`)
			c, err := Open(t.Context(), url, trip.area)
			require.NoError(t, err)
			defer c.Close(t.Context())
			fill(t, c)
			before := structure(t, conn)
			equalSides(t, c, len(area.wayForth().all()))
			require.NoError(t, c.CutOver(t.Context(), time.Minute))

			run(t, conn, shopSQL(trip.copied))
			if trip.event != "" {
				run(t, conn, shopSQL(`insert into `+trip.area+`.outbox (id, type, data, trace, stream_seq) values (#501, '`+trip.event+`', '{}', '', 77)`))
			}
			_, err = c.CatchUp(t.Context())
			require.NoError(t, err)
			equalSides(t, c, len(area.wayBack().all()))
			run(t, conn, shopSQL(trip.last))
			atService := rowsOf(t, conn, trip.area, trip.area)
			require.NoError(t, c.Rollback(t.Context(), time.Minute))
			if trip.area != "payments" && trip.area != "shipping" { // which the rollback translates
				require.Equal(t, atService, rowsOf(t, conn, Monolith, trip.area))
			}
			require.NoError(t, c.Validate(t.Context()))
			require.Equal(t, before, structure(t, conn))
			outboxes(t, conn, trip, Monolith)
			_, err = c.CatchUp(t.Context())
			require.NoError(t, err)
			report, err := c.Verify(t.Context(), 0)
			require.NoError(t, err)
			require.Zero(t, report.Drifted, report.String())

			run(t, conn, shopSQL(trip.atHome))
			require.NoError(t, c.Backfill(t.Context(), 2, func(Progress) error { return nil }))
			atHome := rowsOf(t, conn, Monolith, trip.area)
			require.NoError(t, c.CutOver(t.Context(), time.Minute))
			require.Equal(t, atHome, rowsOf(t, conn, trip.area, trip.area))
			equalSides(t, c, len(area.wayBack().all()))
			outboxes(t, conn, trip, trip.area)
			for question, answer := range trip.questions {
				require.Equal(t, answer, ask(t, conn, shopSQL(question)), question)
			}
			require.NoError(t, c.Finalize(t.Context(), false))
			require.Equal(t, []string{"0"}, ask(t, conn, `select count(*)::text from extract.progress where area = $1`, trip.area))
			require.NoError(t, Climb(t.Context(), url, 8, quiet))
		})
	}
}

// outboxes demands that the events of an area are where its owner is, with their marks.
func outboxes(t *testing.T, conn *pgx.Conn, trip trip, owner string) {
	t.Helper()
	if trip.event == "" {
		return
	}
	for _, schema := range []string{Monolith, trip.area} {
		want := []string{}
		if schema == owner {
			want = []string{"77"}
		}
		require.ElementsMatch(t, want, ask(t, conn, shopSQL(
			`select stream_seq::text from `+schema+`.outbox where id = #501`)), schema)
	}
}

// structure is all that the catalog holds of the tables: columns, indexes, constraints,
// triggers, views, functions, and who may do what.
func structure(t *testing.T, conn *pgx.Conn) []string {
	t.Helper()
	return ask(t, conn, `
		select format('%s %s %s', oid::regclass, relkind, relacl)
		from pg_class
		where relnamespace in (select to_regnamespace(name) from unnest($1::text[]) name) and relname not like 'goose%' and relkind <> 'i'
		union all
		select format('%s.%s %s %s', attrelid::regclass, attname, attnotnull, attacl)
		from pg_attribute
		join pg_class c on c.oid = attrelid
		where c.relnamespace in (select to_regnamespace(name) from unnest($1::text[]) name) and not attisdropped and attnum > 0
		union all
		select indexdef from pg_indexes where schemaname = any($1::text[])
		union all
		select pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
		union all
		select format('%s on %s: %s', conname, conrelid::regclass, pg_get_constraintdef(oid))
		from pg_constraint
		where connamespace in (select to_regnamespace(name) from unnest($1::text[]) name)
		union all
		select oid::regprocedure::text from pg_proc where pronamespace in (select to_regnamespace(name) from unnest($1::text[]) name)
		order by 1`, append([]string{"extract"}, migrations.Schemas...))
}

package ladder

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"banyan/internal/testdb"
	"banyan/migrations"
)

// smallShop has some of everything that a step has to treat in its own way. Ids are
// numbers: books 1 to 5, accounts 11 to 16, orders 21 to 25.
const smallShop = `
	create function pg_temp.id(n bigint) returns uuid language sql as $$ select ('01900000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid $$;
	insert into monolith.accounts select pg_temp.id(n), n || '@example.org', 'Ada ' || n, 'x', 'customer', '2026-01-01' from generate_series(11, 16) n;
	insert into monolith.sessions select sha256(n::text::bytea), pg_temp.id(n), '2026-01-01', '2030-01-01' from generate_series(11, 14) n;
	insert into monolith.books (id, isbn, title, authors, subject, price, stock, stock_version)
		select pg_temp.id(n), n::text, 'Book ' || n, array['A', 'B'], 'novels', 100 * n, 10, n from generate_series(1, 5) n;
	insert into monolith.deliveries select pg_temp.id(100 + n), pg_temp.id(n), 20, '2026-01-01' from generate_series(1, 5) n;
	insert into monolith.carts select pg_temp.id(n), n from generate_series(11, 13) n;
	insert into monolith.cart_items select pg_temp.id(11), pg_temp.id(n), n, '2026-01-01' from generate_series(1, 3) n;
	insert into monolith.orders (id, account_id, status, total, shipping_address, placed_at, cancel_reason) values
		(pg_temp.id(21), pg_temp.id(11), 'pending', 100, '{"city": "Ur"}', '2026-02-01', null),
		(pg_temp.id(22), pg_temp.id(12), 'paid', 100, '{}', '2026-02-02', null),
		(pg_temp.id(23), pg_temp.id(13), 'shipped', 100, '{}', '2026-02-03', null),
		(pg_temp.id(24), pg_temp.id(14), 'cancelled', 100, '{}', '2026-02-04', 'customer'),
		(pg_temp.id(25), pg_temp.id(15), 'cancelled', 100, '{}', '2026-02-05', 'refused');
	insert into monolith.order_items
		select pg_temp.id(o), b, pg_temp.id(b), 'Book ' || b, 2, 100 from generate_series(21, 25) o, generate_series(1, 2) b;
	insert into monolith.payments (id, order_id, account_id, status, amount, card_token, created_at, refund_after)
		select pg_temp.id(o + 100), pg_temp.id(o), pg_temp.id(o - 10), s, 100, case s when 'pending' then 'tok' end, '2026-02-01', '2026-02-01'
		from (values (21, 'pending'), (22, 'captured'), (23, 'captured'), (24, 'refunded'), (25, 'declined')) p (o, s);
	insert into monolith.shipments (id, order_id, account_id, status, tracking_number, address, created_at)
		select pg_temp.id(o + 200), pg_temp.id(o), pg_temp.id(o - 10), s, case s when 'dispatched' then 'BN1' end, '{}', '2026-02-01'
		from (values (22, 'preparing'), (23, 'dispatched'), (24, 'cancelled')) p (o, s);
	insert into monolith.notifications (id, account_id, order_id, kind, to_address, subject, body, created_at, claimed_until)
		select pg_temp.id(300 + n), pg_temp.id(n), null, 'welcome', 'x', 'x', 'x', '2026-01-01', '2026-01-02' from generate_series(11, 16) n;
	insert into monolith.idempotency_keys (account_id, method, path, key, fingerprint, about, claimed_at, status, content_type)
		select pg_temp.id(11), 'POST', path, 'key ' || n, '\x01', pg_temp.id(n), '2026-02-01', case n when 1 then null else 201 end, 'application/json'
		from (values ('/v1/orders'), ('/v1/stock/x/deliveries')) p (path), generate_series(1, 3) n;
	insert into monolith.outbox (id, type, data, trace, created_at, stream_seq, published_at)
		select pg_temp.id(400 + n), type, '{}', '', '2026-02-01', nullif(n, 1), case when n > 1 then timestamptz '2026-02-01' end
		from unnest(array['account.registered', 'order.paid', 'stock.changed', 'shipment.dispatched', 'order.cancelled']) with ordinality p (type, n)`

// openShop is a database with the small shop in its monolith.
func openShop(t *testing.T) string {
	t.Helper()
	db := testdb.New(t, migrations.FS)
	conn := connect(t, db.SuperuserURL())
	defer conn.Close(t.Context())
	run(t, conn, smallShop)
	return db.SuperuserURL()
}

// fill copies an area whose changes are noted from now on.
func fill(t *testing.T, c *Copier) {
	t.Helper()
	require.NoError(t, c.Note(t.Context()))
	require.NoError(t, c.Backfill(t.Context(), 2, func(Progress) error { return nil }))
}

func run(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	_, err := conn.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol)
	require.NoError(t, err, sql)
}

// ask is a query's rows, a line each.
func ask(t *testing.T, conn *pgx.Conn, query string, args ...any) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), query, args...)
	require.NoError(t, err, query)
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err, query)
	return all
}

// everything is all that a database holds: rows, columns, constraints, triggers, views,
// and who may do what. Where events are in an outbox is left out: a killed transaction
// leaves a gap there, and the order is all that counts.
func everything(t *testing.T, url string) []string {
	t.Helper()
	conn := connect(t, url)
	defer conn.Close(t.Context())
	all := structure(t, conn)
	for _, schema := range append([]string{"extract"}, migrations.Schemas...) {
		for _, table := range tablesOf(t, conn, schema) {
			without := append([]string{"since", "position", "refund_requested_at"}, byDefault...)
			if strings.HasSuffix(table, ".changes") {
				without = append(without, "id")
			}
			for _, row := range contents(t, conn, table, without) {
				all = append(all, table+" "+row)
			}
		}
	}
	return all
}

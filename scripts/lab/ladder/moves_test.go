package ladder

import (
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

// refused reports whether a role has no right to insert: 42501. A row of nothing but
// defaults fails otherwise, when the role has it.
func refused(t *testing.T, conn *pgx.Conn, role, into string) bool {
	t.Helper()
	run(t, conn, `set role `+role)
	defer run(t, conn, `reset role`)
	_, err := conn.Exec(t.Context(), `insert into `+into)
	var e *pgconn.PgError
	require.True(t, errors.As(err, &e), into)
	return e.Code == "42501"
}

// Before the cutover only the monolith may write what an area copies, and after it only
// the service.
func TestRightsMove(t *testing.T) {
	t.Parallel()
	url := openShop(t)
	conn := connect(t, url)
	defer conn.Close(t.Context())
	moves := []struct {
		area      string
		old, new  string
		stillHere string // what the trunk may still insert into
	}{
		{"notifications", "notifications", "notifications", "accounts default values"},
		{"accounts", "accounts", "accounts", "carts default values"},
		{"catalog", "books (isbn)", "books", "books (id) values (null)"},
		{"inventory", "deliveries", "deliveries", "books (id) values (null)"},
		{"payments", "payments", "payments", "orders default values"},
		{"shipping", "shipments", "shipments", "orders default values"},
		{"orders", "orders", "orders", "outbox default values"},
	}
	row := func(table string) string {
		if table == "books (isbn)" {
			return table + " values (null)"
		}
		return table + " default values"
	}
	for _, m := range moves {
		c, err := Open(t.Context(), url, m.area)
		require.NoError(t, err)
		require.NoError(t, c.Note(t.Context()))
		require.True(t, refused(t, conn, m.area+"_app", m.area+"."+row(m.new)), "%s stands by", m.area)
		require.False(t, refused(t, conn, "monolith_app", "monolith."+row(m.old)), "%s is the monolith's", m.area)
		require.NoError(t, c.Backfill(t.Context(), 2, func(Progress) error { return nil }))
		require.NoError(t, c.CutOver(t.Context(), time.Minute))
		require.False(t, refused(t, conn, m.area+"_app", m.area+"."+row(m.new)), "%s owns its area", m.area)
		require.True(t, refused(t, conn, "monolith_app", "monolith."+row(m.old)), "%s has left", m.area)
		require.False(t, refused(t, conn, "monolith_app", "monolith."+m.stillHere), "the trunk works on without %s", m.area)
		require.NoError(t, c.Finalize(t.Context(), false))
		require.NoError(t, c.Close(t.Context()))
	}
}

// What a step translates.
func TestTranslations(t *testing.T) {
	t.Parallel()
	url := openShop(t)
	conn := connect(t, url)
	defer conn.Close(t.Context())
	run(t, conn, `update monolith.books set stock = 9007199254740993 where id = (select max(id::text)::uuid from monolith.books)`)
	require.NoError(t, Climb(t.Context(), url, 4, quiet))
	require.Equal(t, []string{"9007199254740991 5"}, ask(t, conn,
		`select concat_ws(' ', available, version) from catalog.availability order by book_id desc limit 1`), "no more than is shown")
	run(t, conn, `update monolith.books set stock = 10 where stock > 10`)
	require.NoError(t, Climb(t.Context(), url, 6, quiet))
	require.Equal(t, []string{"1 12 2 1", "2 12 2 2", "3 10 0 3", "4 10 0 4", "5 10 0 5"}, ask(t, conn,
		`select concat_ws(' ', right(book_id::text, 1), on_hand, reserved, version) from inventory.stock order by book_id`),
		"what a pending order has taken is on the shelf, and reserved")
	require.Equal(t, []string{"21 reserved", "22 committed", "23 committed", "24 released", "25 released"}, ask(t, conn,
		`select concat_ws(' ', right(order_id::text, 2), status) from inventory.reservations order by order_id`))
	require.Equal(t, []string{"22", "23", "24", "25"}, ask(t, conn,
		`select right(order_id::text, 2) from catalog.recent_orders order by order_id`))
	require.Equal(t, []string{"tok"}, ask(t, conn, `select card_token from monolith.orders where card_token is not null`))
	require.Equal(t, []string{"25"}, ask(t, conn, `select right(order_id::text, 2) from payments.payments where refused`))
	require.NoError(t, Climb(t.Context(), url, 8, quiet))
	require.Equal(t, []string{"order.paid 2", "order.cancelled 5"}, ask(t, conn,
		`select concat_ws(' ', type, stream_seq) from orders.outbox order by position`), "events go along with their marks")
	require.Equal(t, []string{"account.registered"}, ask(t, conn,
		`select concat_ws(' ', type, stream_seq) from accounts.outbox order by position`))
	require.Equal(t, []string{"3"}, ask(t, conn, `select count(*)::text from orders.idempotency_keys`), "also the one in flight")
}

// The cutover copies what was noted after the last round, and a changed order's books with it.
func TestLastNotes(t *testing.T) {
	t.Parallel()
	url := openShop(t)
	require.NoError(t, Climb(t.Context(), url, 4, quiet))
	conn := connect(t, url)
	defer conn.Close(t.Context())
	c, err := Open(t.Context(), url, "inventory")
	require.NoError(t, err)
	defer c.Close(t.Context())
	require.ErrorContains(t, c.CutOver(t.Context(), time.Minute), "not copied yet")
	fill(t, c)
	run(t, conn, `update monolith.orders set status = 'paid' where status = 'pending'`)
	require.NoError(t, c.CutOver(t.Context(), time.Minute))
	require.Equal(t, []string{"10 0", "10 0"}, ask(t, conn,
		`select concat_ws(' ', on_hand, reserved) from inventory.stock order by book_id limit 2`), "the copies have gone with the order")
	require.Equal(t, []string{"committed"}, ask(t, conn,
		`select status from inventory.reservations where right(order_id::text, 2) = '21'`))
	require.NoError(t, c.Finalize(t.Context(), false))

	run(t, conn, `update extract.areas set checksum = 'older' where area = 'catalog'`)
	_, err = Standing(t.Context(), url)
	require.ErrorIs(t, err, ErrChanged)
	require.ErrorContains(t, err, "catalog")
	require.ErrorIs(t, Climb(t.Context(), url, 8, quiet), ErrChanged)
}

// Verify names what no note tells of, and a refresh repairs it.
func TestDriftIsFound(t *testing.T) {
	t.Parallel()
	url := openShop(t)
	require.NoError(t, Climb(t.Context(), url, 7, quiet))
	conn := connect(t, url)
	defer conn.Close(t.Context())
	c, err := Open(t.Context(), url, "orders")
	require.NoError(t, err)
	defer c.Close(t.Context())
	fill(t, c)
	const id = "01900000-0000-7000-8000-0000000000"
	for kind, sql := range map[string]string{
		"orders.orders " + id + "22 is different":    `update monolith.orders set total = 7 where id = '` + id + `22'`,
		"orders.orders " + id + "23 is different":    `update orders.orders set total = 8 where id = '` + id + `23'`,
		"orders.order_items " + id + "24 1 is extra": `delete from monolith.order_items where order_id = '` + id + `24' and position = 1`,
		"orders.carts " + id + "12 is missing":       `delete from orders.carts where account_id = '` + id + `12'`,
	} {
		run(t, conn, `begin; set local session_replication_role = replica; `+sql+`; commit`)
		report, err := c.Verify(t.Context(), 0)
		require.NoError(t, err)
		require.EqualValues(t, 1, report.Drifted, kind)
		require.Equal(t, kind, report.Samples[0].String())
		require.NoError(t, c.Refresh(t.Context(), report.Samples[0].Root, []string{report.Samples[0].Key}))
	}
	report, err := c.Verify(t.Context(), 0)
	require.NoError(t, err)
	require.Zero(t, report.Drifted)

	// What is noted is no drift, and is copied: here an order makes room for the next one.
	run(t, conn, `
		update monolith.orders set status = 'paid', card_token = null where id = '`+id+`21';
		insert into monolith.orders (id, account_id, status, total, shipping_address, placed_at)
		select '`+id+`09', account_id, 'pending', 100, '{}', now() from monolith.orders where id = '`+id+`21';
		delete from monolith.cart_items`)
	report, err = c.Verify(t.Context(), 0)
	require.NoError(t, err)
	require.Zero(t, report.Drifted)
	notes, err := c.CatchUp(t.Context())
	require.NoError(t, err)
	require.Positive(t, notes)
	require.Equal(t, []string{"09"}, ask(t, conn, `select right(id::text, 2) from orders.orders where status = 'pending'`))
	require.Equal(t, []string{"0"}, ask(t, conn, `select count(*)::text from orders.cart_items`))
}

package ladder

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// cutOverAt is a shop whose area has just been cut over.
func cutOverAt(t *testing.T, area string) (*Copier, *pgx.Conn, string) {
	t.Helper()
	a, err := areaNamed(area)
	require.NoError(t, err)
	url := openShop(t)
	require.NoError(t, Climb(t.Context(), url, a.Step-1, quiet))
	conn := connect(t, url)
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	run(t, conn, `update monolith.outbox set stream_seq = 1, published_at = now() where stream_seq is null`)
	c, err := Open(t.Context(), url, area)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close(t.Context()) })
	fill(t, c)
	require.NoError(t, c.CutOver(t.Context(), time.Minute))
	return c, conn, url
}

// Where going back would not be exact, the area stays, and the refusal names the rows.
func TestRollbackIsRefused(t *testing.T) {
	t.Parallel()
	const id = "01900000-0000-7000-8000-0000000000"
	for _, r := range []struct {
		area, because, why, row, settle string
	}{
		{"notifications", `insert into monolith.outbox (id, type, data, trace, created_at) values (#60, 'order.paid', '{}', '', '2026-01-01')`,
			"not published yet", "order.paid " + id + "60", `update monolith.outbox set stream_seq = 5`},
		{"accounts", `insert into accounts.dead_letters (consumer, event_id, type, subject, headers, body, error) values ('accounts', #60, 'x.y', '', '{}', '', '')`,
			"could not handle", "x.y " + id + "60", `update accounts.dead_letters set replayed_at = now()`},
		{"inventory", `update inventory.reservations set status = 'refused', short = '[]' where order_id = #21`,
			"no reservation", "order " + id + "21: refused", `update inventory.reservations set status = 'reserved', short = null where order_id = #21`},
		{"inventory", `delete from inventory.reservation_items where order_id = #21; delete from inventory.reservations where order_id = #21`,
			"no reservation", "order " + id + "21: not asked yet", `delete from monolith.payments where order_id = #21;
				delete from monolith.order_items where order_id = #21; delete from monolith.orders where id = #21`},
		{"shipping", `update monolith.orders set cancel_requested_at = '2026-01-01' where id = #22`,
			"wish to cancel", "order " + id + "22", `update monolith.orders set cancel_requested_at = null`},
		{"shipping", `delete from shipping.shipments where order_id = #22`,
			"no shipment", "order " + id + "22", `update monolith.orders set status = 'shipped' where id = #22`},
		{"orders", `insert into orders.outbox (id, type, data, trace, created_at) values (#60, 'order.paid', '{}', '', '2026-01-01')`,
			"not published yet", "order.paid " + id + "60", `update orders.outbox set stream_seq = 5`},
	} {
		t.Run(r.area+" "+r.why, func(t *testing.T) {
			t.Parallel()
			c, conn, _ := cutOverAt(t, r.area)
			require.NoError(t, c.CheckRollback(t.Context()))
			run(t, conn, shopSQL(r.because))
			for _, err := range []error{c.CheckRollback(t.Context()), c.Rollback(t.Context(), time.Minute)} {
				var refusal *Refusal
				require.True(t, errors.As(err, &refusal), "%v", err)
				require.Contains(t, refusal.Why, r.why)
				require.Equal(t, []string{r.row}, refusal.Rows)
				require.ErrorContains(t, err, refusal.Do)
			}
			run(t, conn, shopSQL(r.settle))
			require.NoError(t, c.Rollback(t.Context(), time.Minute))
			require.ErrorContains(t, c.CheckRollback(t.Context()), "is the monolith's")
		})
	}
}

// What is young may settle by itself as long as the shop is open. Under the locks nothing
// settles any more.
func TestYoungRowsAreRefusedUnderTheLocks(t *testing.T) {
	t.Parallel()
	c, conn, _ := cutOverAt(t, "inventory")
	run(t, conn, shopSQL(`update monolith.orders set placed_at = clock_timestamp() where id = #21;
		delete from inventory.reservation_items where order_id = #21; delete from inventory.reservations where order_id = #21`))
	require.NoError(t, c.CheckRollback(t.Context()))
	var refusal *Refusal
	require.ErrorAs(t, c.Rollback(t.Context(), time.Minute), &refusal)
	require.Equal(t, []string{"inventory"}, ask(t, conn, `select owner from extract.areas where area = 'inventory'`))
}

// A refusal names ten rows, and counts them all.
func TestRefusalNamesTen(t *testing.T) {
	t.Parallel()
	c, conn, _ := cutOverAt(t, "accounts")
	run(t, conn, `insert into accounts.dead_letters (consumer, event_id, type, subject, headers, body, error)
		select 'accounts', gen_random_uuid(), 'x.y', '', '{}', '', '' from generate_series(1, 12)`)
	var refusal *Refusal
	require.ErrorAs(t, c.CheckRollback(t.Context()), &refusal)
	require.Len(t, refusal.Rows, 10)
	require.Equal(t, 12, refusal.Many)
	require.ErrorContains(t, refusal, "and 2 more")
}

// Orders leaves only when the trunk has published everything, unless data at rest climb.
func TestOrdersLeaveAnEmptyOutbox(t *testing.T) {
	t.Parallel()
	url := openShop(t)
	require.NoError(t, Climb(t.Context(), url, 7, quiet))
	conn := connect(t, url)
	defer conn.Close(t.Context())
	c, err := Open(t.Context(), url, "orders")
	require.NoError(t, err)
	fill(t, c)
	run(t, conn, shopSQL(`insert into monolith.outbox (id, type, data, trace) values (#60, 'order.paid', '{}', '')`))
	require.NoError(t, c.CheckCutOver(t.Context()), "it is young")
	var refusal *Refusal
	require.ErrorAs(t, c.CutOver(t.Context(), time.Minute), &refusal)
	require.Len(t, refusal.Rows, 1)
	require.NoError(t, c.Close(t.Context()))
	require.NoError(t, Climb(t.Context(), url, 8, quiet))
	require.Equal(t, []string{"1"}, ask(t, conn, `select count(*)::text from orders.outbox where stream_seq is null`))
}

// A rollback of payments lets nobody pay for an order that is cancelled, and leaves no
// pending order without its payment and its card.
func TestRollbackOfPaymentsRefunds(t *testing.T) {
	t.Parallel()
	c, conn, _ := cutOverAt(t, "payments")
	run(t, conn, shopSQL(newOrder+`
		update monolith.orders set status = 'cancelled', cancel_reason = 'customer' where id = #22;
		insert into payments.payments (id, order_id, account_id, status, amount, card_token, created_at)
			values (#124, #25, #15, 'pending', 100, 'tok25', '2026-02-06')
			on conflict (order_id) do update set status = 'pending', card_token = 'tok25'`))
	require.NoError(t, c.Rollback(t.Context(), time.Minute))
	require.Equal(t, []string{
		"21 pending tok f", "22 captured t", "23 captured f", "24 refunded f", "25 pending tok25 t", "26 pending tok26 f",
	}, ask(t, conn, `
		select concat_ws(' ', right(order_id::text, 2), status, card_token, refund_requested_at is not null)
		from monolith.payments
		order by order_id`))
	require.Equal(t, []string{"0"}, ask(t, conn, `select count(*)::text from monolith.orders where card_token is not null`))
	require.Equal(t, []string{"7"}, ask(t, conn, shopSQL(`select substring(id::text, 15, 1) from monolith.payments where order_id = #26`)))
	require.Equal(t, []string{"t"}, ask(t, conn, shopSQL(`
		select (('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint between
		  extract(epoch from now() - interval '1 minute') * 1000 and extract(epoch from now()) * 1000 + 1)::text::char
		from monolith.payments where order_id = #26`)), "its id tells the time")
}

// Before the switch a move can be given up, and leaves nothing behind.
func TestCancel(t *testing.T) {
	t.Parallel()
	for _, area := range Areas[1:] {
		t.Run(area.Name, func(t *testing.T) {
			t.Parallel()
			url := openShop(t)
			require.NoError(t, Climb(t.Context(), url, area.Step-1, quiet))
			conn := connect(t, url)
			defer conn.Close(t.Context())
			before := everything(t, url)
			c, err := Open(t.Context(), url, area.Name)
			require.NoError(t, err)
			defer c.Close(t.Context())
			fill(t, c)
			require.NotEqual(t, before, everything(t, url))
			require.NoError(t, c.Cancel(t.Context()))
			require.Equal(t, before, everything(t, url))
			require.NoError(t, c.Cancel(t.Context()), "there is nothing to give up")
			fill(t, c)
			run(t, conn, `update monolith.outbox set stream_seq = 1 where stream_seq is null`)
			require.NoError(t, c.CutOver(t.Context(), time.Minute))
			require.ErrorContains(t, c.Cancel(t.Context()), "roll it back")
		})
	}
}

// Finalizing keeps what is left behind under another name, if that is asked for.
func TestFinalizeKeeps(t *testing.T) {
	t.Parallel()
	url := openShop(t)
	conn := connect(t, url)
	defer conn.Close(t.Context())
	for _, area := range Areas {
		c, err := Open(t.Context(), url, area.Name)
		require.NoError(t, err)
		fill(t, c)
		require.ErrorContains(t, c.Finalize(t.Context(), true), "not cut over")
		require.NoError(t, c.copied(t.Context()))
		require.NoError(t, c.cutOver(t.Context(), time.Minute, atRest))
		require.NoError(t, c.Finalize(t.Context(), true))
		require.ErrorContains(t, c.Rollback(t.Context(), time.Minute), "is finalized")
		_, err = c.CatchUp(t.Context())
		require.ErrorContains(t, err, "is finalized")
		require.NoError(t, c.Close(t.Context()))
	}
	for _, table := range []string{"notifications", "accounts", "sessions", "deliveries", "payments", "shipments", "orders", "order_items", "carts", "cart_items", "books"} {
		require.NotEqual(t, []string{"0"}, ask(t, conn, fmt.Sprintf(`select count(*)::text from monolith.%s_old`, table)), table)
	}
	require.Equal(t, []string{"1 10"}, ask(t, conn, `select concat_ws(' ', isbn_old, stock_old) from monolith.books_old order by id limit 1`))
}

// What events have kept since the switch is derived again before the next one, and the
// switch waits for it.
func TestSwitchAgainDerivesAgain(t *testing.T) {
	t.Parallel()
	c, conn, _ := cutOverAt(t, "notifications")
	run(t, conn, shopSQL(`update monolith.accounts set name = 'Grace' where id = #11`))
	require.NoError(t, c.Rollback(t.Context(), time.Minute))
	report, err := c.Verify(t.Context(), 0)
	require.NoError(t, err)
	require.Zero(t, report.Drifted, "what is derived is not compared until then")
	require.ErrorContains(t, c.CutOver(t.Context(), time.Minute), "run its backfill")
	rows := int64(0)
	require.NoError(t, c.Backfill(t.Context(), 2, func(p Progress) error {
		require.Equal(t, "account", p.Root, "what is owned is not copied again")
		rows += p.Rows
		return nil
	}))
	require.EqualValues(t, 1, rows)
	require.NoError(t, c.CutOver(t.Context(), time.Minute))
	require.Equal(t, []string{"Grace"}, ask(t, conn, shopSQL(`select name from notifications.contacts where account_id = #11`)))
}

package invariants

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"banyan/internal/postgres"
	"banyan/internal/testdb"
	"banyan/migrations"
	"banyan/scripts/lab/seed"
)

// smallShop is some of the seeded orders, of each kind, with what they need.
func smallShop() *seed.Data {
	all := seed.Generate(seed.Small)
	data := &seed.Data{Size: all.Size}
	kinds := map[string]int{}
	sold := map[uuid.UUID]int{}
	books, accounts := map[uuid.UUID]bool{}, map[uuid.UUID]bool{}
	for _, order := range slices.Backward(all.Orders) {
		kind := order.Status + order.CancelReason
		if kinds[kind]++; kinds[kind] > 3 {
			continue
		}
		data.Orders = append(data.Orders, order)
		accounts[order.AccountID] = true
		for _, item := range order.Items {
			books[item.BookID] = true
			if order.Status != "cancelled" {
				sold[item.BookID] += item.Quantity
			}
		}
	}
	for i, book := range all.Books {
		if books[book.ID] {
			delivery := all.Deliveries[i]
			delivery.Quantity = book.Stock + sold[book.ID]
			data.Books, data.Deliveries = append(data.Books, book), append(data.Deliveries, delivery)
		}
	}
	for _, account := range all.Accounts {
		if accounts[account.ID] {
			data.Accounts = append(data.Accounts, account)
		}
	}
	return data
}

// wellKept is a database with a shop in it that breaks no rule, and what the world outside says of it.
func wellKept(t *testing.T, side string) (*pgx.Conn, witness) {
	t.Helper()
	db := testdb.New(t, migrations.FS)
	data := smallShop()
	schemas := areas
	if side == Monolith {
		schemas = []string{Monolith}
	}
	for _, schema := range schemas {
		owner, err := postgres.Connect(t.Context(), db.URL(schema+"_owner"))
		require.NoError(t, err)
		require.NoError(t, seed.Copy(t.Context(), owner, schema, data))
		require.NoError(t, owner.Close(t.Context()))
	}
	conn, err := postgres.Connect(t.Context(), db.SuperuserURL())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(t.Context()) })

	var outside witness
	for line := range bytes.Lines(seed.LedgerLines(data, side)) {
		var e entry
		require.NoError(t, json.Unmarshal(line, &e))
		outside.ledger = append(outside.ledger, e)
	}
	for _, order := range data.Orders {
		write := func(subject string) {
			id := fmt.Sprint(len(outside.mails)/2, "@banyan")
			m := mail{id, subject, "Hello,\n\nYour order: " + order.ID.String() + "\n"}
			outside.mails = append(outside.mails, m, m) // came twice, is one
		}
		if order.CancelReason != "declined" {
			write("Thank you for your order")
		}
		if order.CancelReason == "customer" {
			write("Your order is cancelled")
		}
		if order.Status == "shipped" {
			write("Your books are on their way")
		}
	}
	return conn, outside
}

// fault is one thing spoiled, and the rules that must notice. Any other rule must not.
type fault struct {
	name    string
	sql     string         // in the services' schemas
	outside func(*witness) // may be nil
	rules   []string
	fleet   bool // services only
}

const (
	oneCharge    = "a paid or shipped order has one charge of its amount, and only such a charge is kept"
	sayLedger    = "a payment says what the ledger says"
	inOrSold     = "what came in is in stock or sold"
	oneShipment  = "a paid order has one shipment, in its state, and an unpaid one none"
	oneReceipt   = "a paid order has one receipt, and an unpaid one none"
	toldOnce     = "a cancellation and a dispatch are told once, and truly"
	orphaned     = "no reservation is orphaned"
	recentSales  = "catalog's recent sales equal the orders"
	availability = "catalog's availability equals inventory's stock"
	copiedBooks  = "orders' copies of the books equal catalog's"
	contacts     = "notifications' contacts equal the accounts"
	published    = "every event is published"
	rejected     = "no event is rejected, but those that were planted"
)

// paid is the first paid order; the others are like it.
const (
	paid     = `(select id from orders.orders where status = 'paid' order by id limit 1)`
	declined = `(select id from orders.orders where cancel_reason = 'declined' order by id limit 1)`
	aBook    = `(select id from catalog.books order by id limit 1)`
)

func faults() []fault {
	dropFirst := func(effect string) func(*witness) {
		return func(w *witness) {
			i := slices.IndexFunc(w.ledger, func(e entry) bool { return e.Effect == effect })
			w.ledger = slices.Delete(w.ledger, i, i+1)
		}
	}
	return []fault{
		{name: "a charge that is gone", outside: dropFirst("charge"), rules: []string{oneCharge, sayLedger}},
		{name: "a refund that was never made", outside: dropFirst("refund"), rules: []string{oneCharge, sayLedger}},
		{name: "a charge made twice", outside: func(w *witness) { w.ledger = append(w.ledger, w.ledger[0]) },
			rules: []string{oneCharge, sayLedger}},
		{name: "a charge of another amount", outside: func(w *witness) { w.ledger[0].Amount++ }, rules: []string{oneCharge}},
		{name: "a charge without an order", outside: func(w *witness) {
			w.ledger = append(w.ledger, entry{"charge", uuid.NewString(), 100, "USD"})
		}, rules: []string{"nothing is charged without an order"}},
		{name: "a payment of another amount", sql: `update payments.payments set amount = amount + 1 where order_id = ` + paid,
			rules: []string{sayLedger}},
		{name: "a payment that is gone", sql: `delete from payments.payments where order_id = ` + paid, rules: []string{sayLedger}},
		{name: "a total that is not the lines'", sql: `update orders.order_items set unit_price = unit_price + 1 where order_id = ` + paid,
			rules: []string{"an order's total is what its lines come to"}},
		{name: "a delivery that is gone", sql: `delete from inventory.deliveries where book_id = ` + aBook, rules: []string{inOrSold}},
		{name: "a shipment that is gone", sql: `delete from shipping.shipments where order_id = ` + paid, rules: []string{oneShipment}},
		{name: "a shipment of a declined order", sql: `update shipping.shipments set order_id = ` + declined + ` where order_id = ` + paid,
			rules: []string{oneShipment}},
		{name: "a receipt that never came", outside: func(w *witness) { w.mails = w.mails[2:] }, rules: []string{oneReceipt}},
		{name: "two receipts for one order", outside: func(w *witness) { w.mails[0].MessageID = "another" }, rules: []string{oneReceipt}},
		{name: "a paid order told of a cancellation", outside: func(w *witness) {
			w.mails = append(w.mails, mail{"new", "Your order is cancelled", w.mails[0].Body})
		}, rules: []string{toldOnce}},
		{name: "a refund that is due", sql: `update payments.payments set refund_requested_at = now() where order_id = ` + paid,
			rules: []string{"no payment and no refund is under way"}},
		{name: "a queued mail", sql: `insert into notifications.notifications (id, account_id, kind, to_address, subject, body)
			select gen_random_uuid(), id, 'welcome', email, 'Hello', '' from accounts.accounts limit 1`,
			rules: []string{"no mail is queued"}},

		{name: "a wish to cancel that is open", sql: `update orders.orders set cancel_requested_at = now() where id = ` + paid,
			rules: []string{"no wish to cancel is open"}, fleet: true},
		{name: "copies reserved for nobody", sql: `update inventory.stock set reserved = 1 where book_id = ` + aBook,
			rules: []string{orphaned, availability}, fleet: true},
		{name: "a reservation left over", sql: `update inventory.reservations set status = 'reserved' where order_id = ` + paid,
			rules: []string{orphaned}, fleet: true},
		{name: "a reservation released under a paid order", sql: `update inventory.reservations set status = 'released' where order_id = ` + paid,
			rules: []string{orphaned}, fleet: true},
		{name: "an event that is not published", sql: `insert into shipping.outbox (id, type, data, trace)
			values (gen_random_uuid(), 'shipment.dispatched', '{}', '')`, rules: []string{published}, fleet: true},
		{name: "a dead letter", sql: `insert into payments.dead_letters (consumer, event_id, type, subject, headers, body, error)
			values ('payments', gen_random_uuid(), 'order.paid', 's', '{}', '', 'no')`, rules: []string{rejected}, fleet: true},
		{name: "an old price in orders", sql: `update orders.books set price = price - 1 where id = ` + aBook,
			rules: []string{copiedBooks}, fleet: true},
		{name: "a book that orders does not know", sql: `delete from orders.books where id = ` + aBook,
			rules: []string{copiedBooks}, fleet: true},
		{name: "a book that inventory does not know", sql: `delete from inventory.stock where book_id = ` + aBook,
			rules: []string{"inventory knows every book", availability, inOrSold}, fleet: true},
		{name: "an availability that is not so", sql: `update catalog.availability set available = available + 1 where book_id = ` + aBook,
			rules: []string{availability}, fleet: true},
		{name: "a sale that catalog missed", sql: `delete from catalog.recent_orders where order_id = ` + paid,
			rules: []string{recentSales}, fleet: true},
		{name: "a sale that catalog counts although it is cancelled", sql: `update catalog.recent_orders set cancelled = false where order_id = ` + declined,
			rules: []string{recentSales}, fleet: true},
		{name: "a line of a sale that catalog missed", sql: `update catalog.recent_order_items set quantity = quantity + 1 where order_id = ` + paid,
			rules: []string{recentSales}, fleet: true},
		{name: "a contact with another address", sql: `update notifications.contacts set email = 'x@example.org'
			where account_id = (select id from accounts.accounts limit 1)`, rules: []string{contacts}, fleet: true},
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	for _, side := range []string{Monolith, Services} {
		t.Run("the "+side, func(t *testing.T) {
			t.Parallel()
			conn, outside := wellKept(t, side)
			t.Run("breaks no rule when it is well kept", func(t *testing.T) {
				require.Empty(t, brokenAfter(t, conn, side, fault{}, outside))
			})
			for _, f := range faults() {
				if f.fleet && side == Monolith {
					continue
				}
				t.Run("is found with "+f.name, func(t *testing.T) {
					require.ElementsMatch(t, f.rules, brokenAfter(t, conn, side, f, outside))
				})
			}
			negative := fault{sql: map[string]string{
				Monolith: `alter table monolith.books drop constraint books_stock_not_negative;
					update monolith.books set stock = -1 where id = ` + aBook,
				Services: `alter table inventory.stock drop constraint stock_not_oversold;
					update inventory.stock set on_hand = -1 where book_id = ` + aBook,
			}[side]}
			pending := fault{sql: `update orders.orders set status = 'pending', cancel_reason = null where id = ` + declined}
			t.Run("is found with a pending order", func(t *testing.T) {
				require.Contains(t, brokenAfter(t, conn, side, pending, outside), "no order is pending")
			})
			t.Run("is found with fewer than no copies", func(t *testing.T) {
				require.Subset(t, brokenAfter(t, conn, side, negative, outside), []string{"stock is never negative", inOrSold})
			})
		})
	}

	t.Run("a dead letter that was planted breaks no rule", func(t *testing.T) {
		t.Parallel()
		conn, outside := wellKept(t, Services)
		id := uuid.NewString()
		planted := fault{sql: `insert into payments.dead_letters (consumer, event_id, type, subject, headers, body, error)
			values ('payments', '` + id + `', 'order.paid', 's', '{}', '', 'no')`}
		require.Empty(t, brokenAfter(t, conn, Services, planted, outside, id))
	})
}

func TestHandled(t *testing.T) {
	t.Parallel()
	conn, err := nats.Connect(testdb.NATS(t))
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	require.NoError(t, err)
	stream, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "STREAM", Subjects: []string{"told.>"}})
	require.NoError(t, err)
	consumer, err := stream.CreateConsumer(t.Context(), jetstream.ConsumerConfig{Durable: "payments"})
	require.NoError(t, err)
	shop := &Shop{stream: stream}
	broken := func() int64 {
		v, err := shop.handled(t.Context())
		require.NoError(t, err)
		return v.Broken
	}
	require.Zero(t, broken())
	_, err = js.Publish(t.Context(), "told.something", nil)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return broken() == 1 }, 5*time.Second, time.Millisecond, "nobody has asked for it")
	message, err := consumer.Next()
	require.NoError(t, err)
	require.EqualValues(t, 1, broken(), "somebody works on it")
	require.NoError(t, message.DoubleAck(t.Context()))
	require.Zero(t, broken())
}

// brokenAfter spoils something, judges, and takes it back. It returns the rules that are broken.
func brokenAfter(t *testing.T, conn *pgx.Conn, side string, f fault, outside witness, planted ...string) []string {
	t.Helper()
	tx, err := conn.Begin(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback(t.Context())) }()
	if f.sql != "" {
		// Foreign keys keep some of this from happening by accident; the rules do not rely on them.
		_, err := conn.PgConn().Exec(t.Context(), `set local session_replication_role = replica;`+inSchemas(side, f.sql)).ReadAll()
		require.NoError(t, err)
	}
	said := witness{slices.Clone(outside.ledger), slices.Clone(outside.mails)}
	if f.outside != nil {
		f.outside(&said)
	}
	verdicts, err := judge(t.Context(), tx, Where{Side: side, Planted: planted}, said)
	require.NoError(t, err)
	var broken []string
	for _, v := range verdicts {
		if v.Broken > 0 {
			broken = append(broken, v.Rule)
			require.NotEmpty(t, v.Offenders, "%s names nobody", v.Rule)
		}
	}
	return broken
}

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
	"banyan/scripts/lab/ladder"
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
	schemas := Areas
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
		var e Entry
		require.NoError(t, json.Unmarshal(line, &e))
		outside.ledger = append(outside.ledger, e)
	}
	for _, order := range data.Orders {
		write := func(subject string) {
			id := fmt.Sprint(len(outside.mails)/2, "@banyan")
			m := Mail{id, subject, "Hello,\n\nYour order: " + order.ID.String() + "\n"}
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
			charged := fault{sql: `update orders.orders set status = 'pending' where id = ` + paid}
			t.Run("is found with a pending order that is charged", func(t *testing.T) {
				require.Subset(t, brokenAfter(t, conn, side, charged, outside), []string{"no order is pending", oneCharge})
			})
			lost := fault{sql: `alter table orders.orders drop constraint orders_status_check;
				update orders.orders set status = 'lost' where id = ` + paid}
			t.Run("is found with an order that is in no state", func(t *testing.T) {
				require.Contains(t, brokenAfter(t, conn, side, lost, outside), "no order is pending")
			})
			t.Run("is found with fewer than no copies", func(t *testing.T) {
				require.Subset(t, brokenAfter(t, conn, side, negative, outside), []string{"stock is never negative", inOrSold})
			})
		})
	}

	t.Run("on the way up the ladder", func(t *testing.T) {
		t.Parallel()
		conn, outside := wellKept(t, Monolith)
		for step := range last + 1 {
			require.NoError(t, ladder.Climb(t.Context(), conn.Config().ConnString(), step, func(string) {}))
			where := Where{Side: Services, Step: step}
			require.Empty(t, brokenAt(t, conn, where, fault{}, outside), "step %d", step)
			for _, f := range faults() {
				if !f.fleet {
					require.Subset(t, brokenAt(t, conn, where, f, outside), f.rules, "step %d, %s", step, f.name)
				}
			}
		}
	})

	t.Run("a dead letter that was planted breaks no rule", func(t *testing.T) {
		t.Parallel()
		conn, outside := wellKept(t, Services)
		id := uuid.NewString()
		planted := fault{sql: `insert into payments.dead_letters (consumer, event_id, type, subject, headers, body, error)
			values ('payments', '` + id + `', 'order.paid', 's', '{}', '', 'no')`}
		require.Empty(t, brokenAfter(t, conn, Services, planted, outside, id))
	})

	t.Run("an event that was planted is missed where a reader has not put it aside", func(t *testing.T) {
		t.Parallel()
		conn, outside := wellKept(t, Services)
		id := uuid.NewString()
		where := Where{Side: Services, Step: last, Planted: []string{id}, Readers: []string{"payments", "shipping"}}
		letter := func(area string) string {
			return `insert into ` + area + `.dead_letters (consumer, event_id, type, subject, headers, body, error)
				values ('` + area + `', '` + id + `', 'order.paid', 's', '{}', '', 'no');`
		}
		require.Equal(t, []string{putAside}, brokenAt(t, conn, where, fault{sql: letter("payments")}, outside))
		require.Empty(t, brokenAt(t, conn, where, fault{sql: letter("payments") + letter("shipping")}, outside))
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
	shop := &Shop{where: Where{Side: Services, Step: last}, stream: stream}
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
	return brokenAt(t, conn, Where{Side: side, Step: last, Planted: planted}, f, outside)
}

func brokenAt(t *testing.T, conn *pgx.Conn, where Where, f fault, outside witness) []string {
	t.Helper()
	tx, err := conn.Begin(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback(t.Context())) }()
	if f.sql != "" {
		// Foreign keys keep some of this from happening by accident; the rules do not rely on them.
		_, err := conn.PgConn().Exec(t.Context(), `set local session_replication_role = replica;`+where.inSchemas(f.sql)).ReadAll()
		require.NoError(t, err)
	}
	said := witness{slices.Clone(outside.ledger), slices.Clone(outside.mails)}
	if f.outside != nil {
		f.outside(&said)
	}
	verdicts, err := judge(t.Context(), tx, where, said)
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

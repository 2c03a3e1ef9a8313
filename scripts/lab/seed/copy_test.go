package seed

import (
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/internal/postgres"
	"banyan/internal/testdb"
	"banyan/migrations"
)

func TestCopy(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := testdb.New(t, migrations.FS)
	conn, err := postgres.Connect(ctx, db.URL("monolith_owner"))
	require.NoError(t, err)
	defer conn.Close(ctx)
	data := Generate(Small)
	require.NoError(t, Copy(ctx, conn, "monolith", data))

	app := db.Pool("monolith_app")
	count := func(query string) (n int) {
		require.NoError(t, app.QueryRow(ctx, query).Scan(&n), query)
		return n
	}

	t.Run("every row is there", func(t *testing.T) {
		lines, parcels := 0, 0
		for _, order := range data.Orders {
			lines += len(order.Items)
			if order.Shipment != nil {
				parcels++
			}
		}
		for table, want := range map[string]int{
			"accounts": len(data.Accounts), "books": len(data.Books), "deliveries": len(data.Deliveries),
			"orders": len(data.Orders), "order_items": lines, "payments": len(data.Orders), "shipments": parcels,
		} {
			require.Equal(t, want, count(`select count(*) from `+table), table)
		}
	})

	t.Run("the books balance", func(t *testing.T) {
		require.Zero(t, count(`
			with delivered as (
				select book_id, sum(quantity) as n from deliveries group by book_id
			), sold as (
				select i.book_id, sum(i.quantity) as n
				from order_items i join orders o on o.id = i.order_id
				where o.status <> 'cancelled' group by i.book_id
			)
			select count(*)
			from books b left join delivered d on d.book_id = b.id left join sold s on s.book_id = b.id
			where b.stock <> d.n - coalesce(s.n, 0)`))
		require.Zero(t, count(`
			select count(*)
			from orders o join (select order_id, sum(quantity * unit_price) as n from order_items group by order_id) i on i.order_id = o.id
			where o.total <> i.n`))
	})

	t.Run("a book is found by a word of its title", func(t *testing.T) {
		require.Positive(t, count(`select count(*) from books where words @@ to_tsquery('simple', 'moby:*')`))
	})

	t.Run("a shop that has books is left alone", func(t *testing.T) {
		require.ErrorIs(t, Copy(ctx, conn, "monolith", data), ErrNotEmpty)
	})
}

func TestCopyServices(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := testdb.New(t, migrations.FS)
	data := Generate(Small)
	for _, schema := range migrations.Schemas[1:] {
		conn, err := postgres.Connect(ctx, db.URL(schema+"_owner"))
		require.NoError(t, err)
		defer conn.Close(ctx)
		require.NoError(t, Copy(ctx, conn, schema, data), schema)
		require.ErrorIs(t, Copy(ctx, conn, schema, data), ErrNotEmpty, schema)
	}
	count := func(schema, query string) (n int) {
		require.NoError(t, db.Pool(schema+"_app").QueryRow(ctx, query).Scan(&n), query)
		return n
	}

	t.Run("the stock that inventory has is what came less what was sold", func(t *testing.T) {
		require.Zero(t, count("inventory", `
			with delivered as (
				select book_id, sum(quantity) as n from deliveries group by book_id
			), sold as (
				select i.book_id, sum(i.quantity) as n
				from reservation_items i join reservations r using (order_id)
				where r.status = 'committed' group by i.book_id
			)
			select count(*)
			from stock s left join delivered d on d.book_id = s.book_id left join sold on sold.book_id = s.book_id
			where s.reserved <> 0 or s.on_hand <> d.n - coalesce(sold.n, 0)`))
	})

	t.Run("the copies equal their sources", func(t *testing.T) {
		const books = `select hashtextextended(string_agg(id::text || title || price, '' order by id), 0) % 1000000007 from books`
		require.Equal(t, count("catalog", books), count("orders", books))
		require.Equal(t,
			count("inventory", `select sum(on_hand - reserved) from stock`),
			count("catalog", `select sum(available) from availability`))
		require.Equal(t,
			count("orders", `select count(*) from orders where status in ('paid', 'shipped')`),
			count("catalog", `select count(*) from recent_orders where not cancelled`))
		require.Equal(t, count("accounts", `select count(*) from accounts`), count("notifications", `select count(*) from contacts`))
	})
}

package seed

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"banyan/internal/testdb"
	"banyan/migrations"
)

func TestCopyMonolith(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := testdb.New(t, migrations.FS)
	conn, err := pgx.Connect(ctx, db.URL("monolith_owner"))
	require.NoError(t, err)
	defer conn.Close(ctx)
	data := Generate(Small)
	require.NoError(t, CopyMonolith(ctx, conn, data))

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
			select count(*)
			from books b
			where b.stock <> (select sum(quantity) from deliveries where book_id = b.id)
				- (select coalesce(sum(i.quantity), 0)
				   from order_items i join orders o on o.id = i.order_id
				   where i.book_id = b.id and o.status <> 'cancelled')`))
		require.Zero(t, count(`
			select count(*)
			from orders o
			where o.total <> (select sum(quantity * unit_price) from order_items where order_id = o.id)`))
	})

	t.Run("a book is found by a word of its title", func(t *testing.T) {
		require.Positive(t, count(`select count(*) from books where words @@ to_tsquery('simple', 'moby:*')`))
	})

	t.Run("a shop that has books is left alone", func(t *testing.T) {
		require.ErrorIs(t, CopyMonolith(ctx, conn, data), ErrNotEmpty)
	})
}

package main

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

func TestPurge(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	book := s.adds(novel(1)).ID
	// The nth order was placed n hours before noon, and heard of so many days ago.
	order := func(n, days int, cancelled bool) {
		s.sells(orderID(n), noon.Add(-time.Duration(n)*time.Hour), map[uuid.UUID]int{book: 1})
		_, err := s.pool.Exec(t.Context(), `
			update recent_orders set cancelled = $2, heard_at = now() - make_interval(days => $3) where order_id = $1`,
			orderID(n), cancelled, days)
		require.NoError(t, err)
	}
	for n := range 5 {
		order(n, 8, false)
	}
	order(5, 8, false)   // beyond the five, and old
	order(6, 6, false)   // beyond the five, and too young: its event may come again
	order(7, 8, true)    // nobody waits for it
	order(8, 6, true)    // its order.paid may still come
	var many []uuid.UUID // more than one batch of each kind
	for n := 9; n < 3000; n++ {
		many = append(many, orderID(n))
	}
	s.sellsMany(many, noon.Add(-100*time.Hour), book)
	_, err := s.pool.Exec(t.Context(), `
		update recent_orders set heard_at = now() - interval '30 days', cancelled = get_byte(uuid_send(order_id), 15) % 2 = 0
		where order_id = any($1)`, many)
	require.NoError(t, err)

	var instances errgroup.Group
	for range 2 {
		instances.Go(func() error { return s.purge(t.Context(), 5) })
	}
	require.NoError(t, instances.Wait())
	require.NoError(t, s.purge(t.Context(), 5)) // what one left alone since the other had it, and failed to

	rows, err := s.pool.Query(t.Context(), `
		select o.order_id, count(i.*) from recent_orders o left join recent_order_items i using (order_id)
		group by o.order_id order by o.order_id`)
	require.NoError(t, err)
	var left []uuid.UUID
	for rows.Next() {
		var id uuid.UUID
		var lines int
		require.NoError(t, rows.Scan(&id, &lines))
		require.Equal(t, 1, lines)
		left = append(left, id)
	}
	require.Equal(t, []uuid.UUID{orderID(0), orderID(1), orderID(2), orderID(3), orderID(4), orderID(6), orderID(8)}, left)
	var lines int
	require.NoError(t, s.pool.QueryRow(t.Context(), `select count(*) from recent_order_items`).Scan(&lines))
	require.Equal(t, len(left), lines, "the lines go with their orders")
}

// A cancellation that comes long after its order counts from when it came: its order.paid
// may still be on the way.
func TestPurgeKeepsFreshMarks(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	old := time.Now().Add(-30 * 24 * time.Hour).Format(time.RFC3339)
	id := uuid.New()
	said := `{"order_id":%q,"placed_at":%q,"items":[{"book_id":%q,"quantity":1}]}`
	hear(s, s.ordersEnded, orderPaid, said, id, old, id)
	_, err := s.pool.Exec(t.Context(), `update recent_orders set heard_at = now() - interval '8 days'`)
	require.NoError(t, err)
	hear(s, s.ordersEnded, orderCancelled, said, id, old, id)
	require.NoError(t, s.purge(t.Context(), 1))
	var marks int
	require.NoError(t, s.pool.QueryRow(t.Context(), `select count(*) from recent_orders where cancelled`).Scan(&marks))
	require.Equal(t, 1, marks)
}

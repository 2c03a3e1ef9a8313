package main

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// placed is the id of an order that was placed so long ago.
func placed(ago time.Duration) uuid.UUID {
	id := uuid.Must(uuid.NewV7())
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(time.Now().Add(-ago).UnixMilli()))
	copy(id[:6], ms[2:])
	return id
}

func TestPurge(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	s := newShop(t)
	account := uuid.New()
	// payment writes the row of an order that was placed so many days ago.
	payment := func(days int, status string) uuid.UUID {
		id := placed(time.Duration(days) * day)
		_, err := s.pool.Exec(t.Context(), `
			insert into payments (id, order_id, account_id, status, amount, created_at)
			values (gen_random_uuid(), $1, $2, $3, 100, now() - make_interval(days => $4))`, id, account, status, days)
		require.NoError(t, err)
		return id
	}
	there := func(id uuid.UUID) (n int) {
		require.NoError(t, s.pool.QueryRow(t.Context(), `select count(*) from payments where order_id = $1`, id).Scan(&n))
		return n
	}
	old, young := payment(9, Void), payment(7, Void)
	others := []uuid.UUID{payment(30, Declined), payment(30, Captured), payment(30, Refunded)}
	_, err := s.pool.Exec(t.Context(), `
		insert into payments (id, order_id, account_id, status, amount, created_at)
		select gen_random_uuid(), gen_random_uuid(), $1, 'void', 100, now() - interval '30 days' from generate_series(1, 2500)`, account)
	require.NoError(t, err)
	require.NoError(t, s.purge(t.Context()))
	require.Zero(t, there(old))
	for _, id := range append(others, young) {
		require.Equal(t, 1, there(id))
	}
	var left int
	require.NoError(t, s.pool.QueryRow(t.Context(), `select count(*) from payments`).Scan(&left))
	require.Equal(t, 4, left)

	// A late charge takes no money, whether or not the tombstone is there.
	for _, id := range []uuid.UUID{old, young} {
		captured, err := s.Pay(t.Context(), id, account, 100, "tok_visa")
		require.NoError(t, err)
		require.False(t, captured)
	}
	require.Zero(t, there(old))
	// What was captured is captured, however old it is; a younger order is charged.
	for _, id := range []uuid.UUID{others[1], placed(6 * day)} {
		captured, err := s.Pay(t.Context(), id, account, 100, "tok_visa")
		require.NoError(t, err)
		require.True(t, captured)
	}
}

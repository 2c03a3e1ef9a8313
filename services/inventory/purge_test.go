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
	book := uuid.New()
	// reservation writes the row of an order that was placed so many days ago.
	reservation := func(days int, status string) uuid.UUID {
		id := placed(time.Duration(days) * day)
		_, err := s.pool.Exec(t.Context(), `
			insert into reservations (order_id, status, short, created_at)
			values ($1, $2, case $2 when 'refused' then '[]'::jsonb end, now() - make_interval(days => $3))`, id, status, days)
		require.NoError(t, err)
		return id
	}
	there := func(id uuid.UUID) (n int) {
		require.NoError(t, s.pool.QueryRow(t.Context(), `select count(*) from reservations where order_id = $1`, id).Scan(&n))
		return n
	}
	old, young := reservation(9, Refused), reservation(7, Refused)
	others := []uuid.UUID{reservation(30, Reserved), reservation(30, Committed), reservation(30, Released)}
	_, err := s.pool.Exec(t.Context(), `
		insert into reservations (order_id, status, short, created_at)
		select gen_random_uuid(), 'refused', '[]', now() - interval '30 days' from generate_series(1, 2500)`)
	require.NoError(t, err)
	require.NoError(t, s.purge(t.Context()))
	require.Zero(t, there(old))
	for _, id := range append(others, young) {
		require.Equal(t, 1, there(id))
	}
	var left int
	require.NoError(t, s.pool.QueryRow(t.Context(), `select count(*) from reservations`).Scan(&left))
	require.Equal(t, 4, left)

	// What was refused stays refused, purged or not, though there are copies by now.
	_, err = s.pool.Exec(t.Context(), `insert into stock (book_id, on_hand) values ($1, 9)`, book)
	require.NoError(t, err)
	reserve := func(id uuid.UUID) error { return s.Reserve(t.Context(), id, []uuid.UUID{book}, []int{1}) }
	require.ErrorIs(t, reserve(young), ErrSoldOut)
	require.ErrorIs(t, reserve(old), ErrTooOld)
	require.Zero(t, there(old))
	// An order that was promised its copies is told so again, however old it is; a young
	// one reserves.
	require.NoError(t, reserve(others[0]))
	require.ErrorIs(t, reserve(others[2]), ErrCancelled)
	require.NoError(t, reserve(placed(6*day)))
}

package main

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"banyan/internal/events"
	"banyan/internal/postgres"
)

// Two instances hear of the same books and orders in opposite orders. Neither may die of
// a deadlock.
func TestInstances(t *testing.T) {
	t.Parallel()

	t.Run("hear of stock", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		books := manyIDs()
		s.bothWays(func(b *pgx.Batch, n int, backwards bool) error {
			all := make([]events.Heard[stockData], len(books))
			for i, id := range books {
				all[i].Data.Books = slices.Grow(all[i].Data.Books, 1)[:1]
				all[i].Data.Books[0].BookID, all[i].Data.Books[0].Version = id, int64(n)
			}
			if backwards {
				slices.Reverse(all)
			}
			return s.stockChanged(t.Context(), b, all)
		})
	})
	t.Run("hear of orders", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		orders := manyIDs()
		s.bothWays(func(b *pgx.Batch, n int, backwards bool) error {
			all := make([]events.Heard[saleData], len(orders))
			for i, id := range orders {
				all[i].Type = []string{orderPaid, orderCancelled}[(i+n)%2]
				all[i].Data = saleData{OrderID: id, PlacedAt: time.Now()}
				all[i].Data.Items = slices.Grow(all[i].Data.Items, 1)[:1]
				all[i].Data.Items[0].BookID, all[i].Data.Items[0].Quantity = id, 1
			}
			if backwards {
				slices.Reverse(all)
			}
			return s.ordersEnded(t.Context(), b, all)
		})
	})
	t.Run("hear several times of one book and one order", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		book, order := s.adds(novel(1)).ID, uuid.New()
		stock := make([]events.Heard[stockData], 3)
		sale := make([]events.Heard[saleData], 3)
		for i, version := range []int64{4, 9, 7} {
			stock[i].Data.Books = slices.Grow(stock[i].Data.Books, 1)[:1]
			stock[i].Data.Books[0].BookID, stock[i].Data.Books[0].Version = book, version
			stock[i].Data.Books[0].Available = int(version)
			sale[i].Data = saleData{OrderID: order, PlacedAt: time.Now()}
			sale[i].Type = []string{orderPaid, orderCancelled, orderPaid}[i]
		}
		var b pgx.Batch
		require.NoError(t, s.stockChanged(t.Context(), &b, stock))
		require.NoError(t, s.ordersEnded(t.Context(), &b, sale))
		require.NoError(t, postgres.Exec(t.Context(), s.pool, &b))
		found, err := s.Book(t.Context(), book)
		require.NoError(t, err)
		require.Equal(t, 9, found.Available, "the newest, not the last")
		var cancelled bool
		require.NoError(t, s.pool.QueryRow(t.Context(), `select cancelled from recent_orders`).Scan(&cancelled))
		require.True(t, cancelled)
	})
}

// bothWays sends what is queued from two instances at once, again and again.
func (s shop) bothWays(queue func(b *pgx.Batch, n int, backwards bool) error) {
	s.t.Helper()
	var group errgroup.Group
	for _, backwards := range []bool{false, true} {
		group.Go(func() error {
			for n := range 50 {
				var b pgx.Batch
				if err := queue(&b, n, backwards); err != nil {
					return err
				}
				if err := postgres.Exec(context.Background(), s.pool, &b); err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(s.t, group.Wait())
}

func manyIDs() []uuid.UUID {
	ids := make([]uuid.UUID, 30)
	for i := range ids {
		ids[i] = uuid.New()
	}
	return ids
}

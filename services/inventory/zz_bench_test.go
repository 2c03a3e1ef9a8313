package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"banyan/internal/events"
	"banyan/internal/postgres"
)

func (s *Service) reserve2(ctx context.Context, orderID uuid.UUID, books []uuid.UUID, quantities []int) error {
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		var b pgx.Batch
		queueInsertReservation(&b, orderID)
		for n, id := range books {
			queueTake(&b, orderID, id, quantities[n])
		}
		var data stockData
		b.Queue(`select book_id, on_hand - reserved as available, version from stock where book_id = any($1)`, books).Query(func(rows pgx.Rows) (err error) {
			data.Books, err = pgx.CollectRows(rows, pgx.RowToStructByPos[bookData])
			return err
		})
		if err := postgres.Exec(ctx, tx, &b); err != nil {
			return err
		}
		return events.Emit(ctx, tx, stockChanged, data)
	})
	s.wake()
	return err
}

func TestZZ(t *testing.T) {
	s := newShop(t)
	var books []uuid.UUID
	for range 200 {
		books = append(books, s.bookWith(1000000))
	}
	pick := func(n int) order {
		w := map[uuid.UUID]int{}
		for len(w) < n {
			w[books[rand.IntN(len(books))]] = 1
		}
		return newOrder(w)
	}
	for round := range 6 {
		for name, f := range map[string]func(context.Context, uuid.UUID, []uuid.UUID, []int) error{"one batch": s.Reserve, "transaction": s.reserve2} {
			var n atomic.Int64
			var wg sync.WaitGroup
			end := time.Now().Add(600 * time.Millisecond)
			for range 2 {
				wg.Go(func() {
					for time.Now().Before(end) {
						o := pick(3)
						if err := f(t.Context(), o.id, o.books, o.quantities); err != nil {
							t.Error(err)
							return
						}
						n.Add(1)
					}
				})
			}
			wg.Wait()
			fmt.Println(round, name, float64(n.Load())/0.6, "per second")
		}
	}
}

package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"banyan/internal/events"
)

// Service is the catalog.
type Service struct {
	pool *pgxpool.Pool
	wake func() // after a commit that has something to publish
}

// New returns the catalog that the pool's database holds. wake is called after
// each commit that has something to publish.
func New(pool *pgxpool.Pool, wake func()) *Service { return &Service{pool, wake} }

// Book returns one book, or ErrNotFound.
func (s *Service) Book(ctx context.Context, id uuid.UUID) (Book, error) {
	return selectBook(ctx, s.pool, id)
}

// Books returns those of the books that exist, in the order asked.
func (s *Service) Books(ctx context.Context, ids []uuid.UUID) ([]Book, error) {
	return selectBooks(ctx, s.pool, ids)
}

// Add puts a new book on the shelf, with nothing of it in stock yet. It returns
// ErrISBNTaken if there is one with this ISBN.
func (s *Service) Add(ctx context.Context, b Book) (Book, error) {
	b.ID, b.Version = uuid.Must(uuid.NewV7()), 1
	if err := b.Validate(); err != nil {
		return Book{}, err
	}
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if err := insertBook(ctx, tx, b); err != nil {
			return err
		}
		return events.Emit(ctx, tx, bookAdded, bookEvent(b))
	})
	if err != nil {
		return Book{}, fmt.Errorf("add book %s: %w", b.ISBN, err)
	}
	s.wake()
	return b, nil
}

// Change applies a patch, which makes a new version. It returns ErrChanged if
// seen holds versions and the book is at none of them.
func (s *Service) Change(ctx context.Context, id uuid.UUID, p Patch, seen []int) (b Book, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if b, err = lockBook(ctx, tx, id); err != nil {
			return err
		}
		if seen != nil && !slices.Contains(seen, b.Version) {
			return ErrChanged
		}
		p.Apply(&b)
		if err := b.Validate(); err != nil {
			return err
		}
		b.Version++
		if err := updateBook(ctx, tx, b); err != nil {
			return err
		}
		return events.Emit(ctx, tx, bookChanged, bookEvent(b))
	})
	if err != nil {
		return Book{}, fmt.Errorf("change book %s: %w", id, err)
	}
	s.wake()
	return b, nil
}

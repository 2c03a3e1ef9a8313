package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// ErrSchema means that a process and its schema do not know each other's version.
var ErrSchema = errors.New("the schema is not the one this program knows")

// Migrate applies the migrations in fsys that are missing, as the schema's
// owner, and returns the version it ends at. It refuses a database whose text
// will not do (ErrText). Several processes may call it at
// once: a session lock lets one work while the others wait.
func Migrate(ctx context.Context, ownerURL string, fsys fs.FS) (int64, error) {
	cfg, err := ParseConfig(ownerURL)
	if err != nil {
		return 0, err
	}
	db := stdlib.OpenDB(*cfg) // goose speaks database/sql
	defer db.Close()
	// One lock per schema, so that two schemas can be migrated side by side.
	var schema string
	if err := db.QueryRowContext(ctx, `select coalesce(current_schema(), '')`).Scan(&schema); err != nil {
		return 0, fmt.Errorf("ask for the schema: %w", err)
	}
	if schema == "" {
		return 0, fmt.Errorf("role %s has no schema in database %s: bootstrap it first", cfg.User, cfg.Database)
	}
	if err := CheckText(ctx, ownerURL); err != nil {
		return 0, err
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockID(lockID(schema)), lock.WithLockTimeout(1, 120))
	if err != nil {
		return 0, fmt.Errorf("make the migration lock: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, fsys,
		goose.WithDisableGlobalRegistry(true), goose.WithSessionLocker(locker))
	if err != nil {
		return 0, fmt.Errorf("read the migrations of schema %s: %w", schema, err)
	}
	if _, err := p.Up(ctx); err != nil {
		return 0, fmt.Errorf("migrate schema %s: %w", schema, err)
	}
	return p.GetDBVersion(ctx)
}

// CheckVersion compares the schema's version with the newest migration in fsys.
// A program that runs on a schema older or newer than it knows would fail later
// and worse; the error (ErrSchema) says which of the two is behind.
func CheckVersion(ctx context.Context, pool *pgxpool.Pool, fsys fs.FS) error {
	known, err := newest(fsys)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var exists bool
	if err := pool.QueryRow(ctx, `select to_regclass('goose_db_version') is not null`).Scan(&exists); err != nil {
		return fmt.Errorf("ask for the schema's version: %w", err)
	}
	var found int64
	if exists {
		err = pool.QueryRow(ctx, `select coalesce(max(version_id), 0) from goose_db_version where is_applied`).Scan(&found)
		if err != nil {
			return fmt.Errorf("ask for the schema's version: %w", err)
		}
	}
	switch {
	case found < known:
		return fmt.Errorf("%w: it is at version %d, this program needs %d; apply the migrations first (lab migrate)", ErrSchema, found, known)
	case found > known:
		return fmt.Errorf("%w: it is at version %d, this program knows only %d; start a newer build", ErrSchema, found, known)
	}
	return nil
}

// newest is the highest version among the migrations, from their file names.
func newest(fsys fs.FS) (int64, error) {
	names, err := fs.Glob(fsys, "*.sql")
	if err != nil {
		return 0, fmt.Errorf("list the migrations: %w", err)
	}
	var highest int64
	for _, name := range names {
		v, err := goose.NumericComponent(name)
		if err != nil {
			return 0, fmt.Errorf("migration %s: %w", name, err)
		}
		highest = max(highest, v)
	}
	return highest, nil
}

// lockID turns a schema's name into the number of its advisory lock (FNV-1a).
func lockID(schema string) int64 {
	h := uint64(14695981039346656037)
	for _, b := range []byte("migrate " + schema) {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return int64(h >> 1)
}

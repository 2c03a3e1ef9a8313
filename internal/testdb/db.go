package testdb

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"banyan/internal/postgres"
)

// DB is a database of one test. It is dropped when the test ends.
type DB struct {
	t      testing.TB
	server *server
	name   string
}

// New makes a database for this test alone, with all migrations applied. The root of migrations
// holds bootstrap.sql and a folder per schema. Bootstrap has to make the roles <schema>_owner and
// <schema>_app.
func New(t testing.TB, migrations fs.FS) *DB {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()

	server, err := theServer()
	require.NoError(t, err, "start the test database server")
	history, err := readHistory(migrations)
	require.NoError(t, err)
	name := testPrefix + strings.ToLower(rand.Text())
	require.NoError(t, server.clone(ctx, history, name), "make a database for the test")

	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := server.drop(ctx, name); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
	})
	return &DB{t: t, server: server, name: name}
}

// URL is where a role of the migrations finds this database.
func (db *DB) URL(role string) string {
	db.t.Helper()
	ctx, cancel := context.WithTimeout(db.t.Context(), patience)
	defer cancel()
	require.NoError(db.t, db.server.admit(ctx, role))
	return db.server.roleURL(role, db.name)
}

// Pool opens a pool of at most 8 connections as a role of the migrations. Each call opens another one; all
// are closed when the test ends.
func (db *DB) Pool(role string) *pgxpool.Pool {
	db.t.Helper()
	return db.open(db.URL(role))
}

// Superuser opens a pool as the superuser, for what no role of the migrations may do.
func (db *DB) Superuser() *pgxpool.Pool {
	db.t.Helper()
	return db.open(db.SuperuserURL())
}

// SuperuserURL is where the superuser finds this database.
func (db *DB) SuperuserURL() string { return db.server.url(db.server.superuser.User, db.name) }

func (db *DB) open(address string) *pgxpool.Pool {
	db.t.Helper()
	pool, err := postgres.Open(db.t.Context(), address, postgres.Options{MaxConns: 8})
	require.NoError(db.t, err)
	db.t.Cleanup(func() {
		// Close waits for connections that are still out. A test that forgot one should hear of it
		// and not hang.
		closed := make(chan struct{})
		go func() {
			pool.Close()
			close(closed)
		}()
		select {
		case <-closed:
		case <-time.After(10 * time.Second):
			db.t.Errorf("the test ended with %d connections of its pool in use", pool.Stat().AcquiredConns())
		}
	})
	return pool
}

func (s *server) roleURL(role, database string) string {
	return s.url(url.UserPassword(role, password), database)
}

// admit gives a role the test password, if it is none of the schemas' two.
func (s *server) admit(ctx context.Context, role string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.passwords[role] {
		return nil
	}
	err := s.locked(ctx, func(conn *pgx.Conn) error { return setPasswords(ctx, conn, role) })
	if err == nil {
		s.passwords[role] = true
	}
	return err
}

// clone makes a database from the template of these migrations.
func (s *server) clone(ctx context.Context, h history, name string) error {
	for attempt := 1; ; attempt++ {
		template, err := s.template(ctx, h)
		if err != nil {
			return err
		}
		err = s.cloneFrom(ctx, template, name)
		var missing *pgconn.PgError
		if errors.As(err, &missing) && missing.Code == "3D000" && attempt == 1 {
			s.forget(template) // another process took it for an old one
			continue
		}
		return err
	}
}

func (s *server) cloneFrom(ctx context.Context, from template, name string) error {
	conn, err := s.connect(ctx, "postgres")
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	// Without fsync, copying files takes half as long as the default, writing each page to the log.
	_, err = conn.Exec(ctx, `create database `+name+` template `+from.name+` strategy file_copy`)
	if err != nil {
		return fmt.Errorf("clone %s: %w", from.name, err)
	}
	var grants strings.Builder
	for _, grant := range from.grants {
		fmt.Fprintf(&grants, grant+";\n", name)
	}
	if _, err := conn.PgConn().Exec(ctx, grants.String()).ReadAll(); err != nil {
		return fmt.Errorf("grant what the template grants: %w", err)
	}
	return nil
}

func (s *server) drop(ctx context.Context, name string) error {
	conn, err := s.connect(ctx, "postgres")
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, `drop database if exists `+name+` with (force)`)
	return err
}

package testdb

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"banyan/internal/local"
	"banyan/internal/postgres"
)

// patience is how long a database operation may take: initdb on a busy machine, or the wait for
// another process that is making the template.
const patience = 3 * time.Minute

// linger is how long the server waits for the next user; it spares a run of many short packages
// most of the starts.
const linger = 5 * time.Second

// lockKey is the advisory lock, in database postgres, under which roles and templates are made. Both
// belong to the whole cluster, unlike the locks taken in any other database.
const lockKey = 0x62616e79616e // "banyan"

// server is the PostgreSQL server of this test process.
type server struct {
	superuser *url.URL  // of database postgres
	claim     *pgx.Conn // on a server that was given: open until the process ends

	mu        sync.Mutex
	templates map[string]template // by name, those known to be there
	passwords map[string]bool     // roles known to have the test password
}

// theServer starts or joins the server, once per process. Nothing stops it here: the end of the
// process does.
var theServer = sync.OnceValues(func() (*server, error) {
	address, err := serverURL()
	if err != nil {
		return nil, err
	}
	superuser, err := url.Parse(address)
	if err != nil || superuser.Host == "" {
		return nil, errors.New("DATABASE_URL has to look like postgres://user:password@host:port/postgres")
	}
	superuser.Path = "/postgres"
	s := &server{superuser: superuser, templates: map[string]template{}, passwords: map[string]bool{}}
	if os.Getenv("DATABASE_URL") != "" {
		if err := s.share(); err != nil {
			return nil, err
		}
	}
	return s, nil
})

// share keeps a lab from starting on a server that was given, and refuses one that a lab uses: the tests give the
// roles, which belong to the whole server, a password of their own.
func (s *server) share() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s.claim, err = postgres.Claim(ctx, s.superuser.String(), fmt.Sprintf("tests, process %d", os.Getpid()), true)
	if errors.Is(err, postgres.ErrClaimed) {
		return fmt.Errorf("the tests would change the passwords of a lab on the server of DATABASE_URL: "+
			"stop that lab, or let the tests have their own server (env -u DATABASE_URL go test): %w", err)
	}
	return err
}

func serverURL() (string, error) {
	if given := os.Getenv("DATABASE_URL"); given != "" {
		return given, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	dir := filepath.Join(fastFolder(), "banyan-test-"+strconv.Itoa(os.Getuid()))
	if err := ownFolder(dir); err != nil {
		return "", err
	}
	postgres, err := local.StartPostgres(ctx, local.PostgresOptions{
		Dir:      dir,
		Shared:   true,
		Linger:   linger,
		Settings: map[string]string{"max_connections": "500"},
	})
	if err != nil {
		return "", err
	}
	return postgres.URL("postgres"), nil
}

// url is where a user finds a database of this server.
func (s *server) url(user *url.Userinfo, database string) string {
	address := *s.superuser
	address.User = user
	address.Path = "/" + database
	return address.String()
}

// connect opens a connection to a database as the superuser.
func (s *server) connect(ctx context.Context, database string) (*pgx.Conn, error) {
	conn, err := postgres.Connect(ctx, s.url(s.superuser.User, database))
	if err != nil {
		return nil, fmt.Errorf("reach the test server: %w", err)
	}
	return conn, nil
}

// locked calls do with a connection to database postgres while no other test process does the same.
func (s *server) locked(ctx context.Context, do func(*pgx.Conn) error) error {
	conn, err := s.connect(ctx, "postgres")
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) // and the lock is free
	if _, err := conn.Exec(ctx, `select pg_advisory_lock($1)`, int64(lockKey)); err != nil {
		return fmt.Errorf("wait for other test processes: %w", err)
	}
	return do(conn)
}

package local

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"banyan/internal/postgres"
)

// PostgresOptions say which server to run.
type PostgresOptions struct {
	// Dir is the folder of the cluster, its log and its lock; made if missing.
	Dir string
	// Port of 127.0.0.1; zero takes a free one.
	Port int
	// Durable keeps fsync and synchronous_commit on. Without it commits are lost when the machine
	// crashes, so a cluster that was not stopped in order, or does not start, is made anew.
	Durable bool
	// Settings are server parameters; they win over those of this package.
	Settings map[string]string
	// Shared makes one server for all processes that ask for the same Dir with the same options. The first
	// one starts it; Stop only ends the caller's own use.
	Shared bool
	// Linger is how long a shared server stays after its last user has gone.
	Linger time.Duration
}

// Postgres is a running PostgreSQL server.
type Postgres struct {
	Port int

	password string
	process  *Process // nil: shared
	lease    *lease   // nil: not shared
	lock     *held    // nil: shared
}

// StartPostgres runs a private PostgreSQL cluster, made on first use, and waits until it answers. The
// superuser is postgres, with a generated password. Run by root, the server itself belongs to an
// unprivileged user. It stops when this process is gone (the last one, if it is shared).
func StartPostgres(ctx context.Context, options PostgresOptions) (*Postgres, error) {
	dir, err := filepath.Abs(options.Dir)
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	if err := MakeFolder(dir); err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}

	// A cluster has one starter at a time, and a private one has one owner.
	patience := time.Second
	if options.Shared {
		patience = time.Minute
	}
	lock, err := lockFile(ctx, filepath.Join(dir, "lock"), patience)
	if errors.Is(err, errLocked) {
		return nil, fmt.Errorf("start PostgreSQL: another process is using the cluster in %s: stop it first, "+
			"or choose another folder", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}

	server, err := openOrJoin(ctx, dir, options)
	if err != nil {
		lock.Close()
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	if options.Shared {
		lock.Close()
	} else {
		server.lock = lock
	}
	return server, nil
}

func openOrJoin(ctx context.Context, dir string, options PostgresOptions) (*Postgres, error) {
	if options.Shared {
		if server, err := joinPostgres(ctx, dir); !errors.Is(err, errNoServer) {
			return server, err
		}
	}
	cluster, err := openCluster(ctx, dir, options.Durable)
	if err != nil {
		return nil, err
	}
	if options.Port != 0 {
		if err := CheckPort(options.Port); err != nil {
			return nil, err
		}
	}
	if !options.Durable {
		_ = os.Remove(logOf(dir)) // or years of tests would add up in it
	}
	server, err := cluster.start(ctx, dir, options)
	if err != nil && !options.Durable && ctx.Err() == nil {
		if err := cluster.create(ctx, options.Durable); err != nil {
			return nil, err
		}
		return cluster.start(ctx, dir, options)
	}
	return server, err
}

// start tries again where the failure may pass: the free port was taken meanwhile, or the children of a
// dead server take a moment to go.
func (c *cluster) start(ctx context.Context, dir string, options PostgresOptions) (*Postgres, error) {
	const attempts = 5
	for attempt := 1; ; attempt++ {
		server, err := c.run(ctx, dir, options)
		passing := err != nil && (strings.Contains(err.Error(), "Address already in use") ||
			strings.Contains(err.Error(), "shared memory block"))
		if err == nil || !passing || attempt == attempts || ctx.Err() != nil {
			return server, err
		}
		time.Sleep(time.Duration(attempt) * 200 * time.Millisecond)
	}
}

// run starts the server once and waits until it answers.
func (c *cluster) run(ctx context.Context, dir string, options PostgresOptions) (*Postgres, error) {
	password, err := c.password()
	if err != nil {
		return nil, err
	}
	server := &Postgres{Port: options.Port, password: password}
	if server.Port == 0 {
		if server.Port, err = FreePort(); err != nil {
			return nil, err
		}
	}

	command := Command{
		Name: "PostgreSQL",
		Path: filepath.Join(c.install.Bin, "postgres"),
		Args: []string{"-D", c.data},
		Env:  PostgresEnv(),
		Dir:  c.data,
		Log:  logOf(dir),
		User: c.credential,
		// The server's words for it: fast, then immediate shutdown.
		StopSignals: []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT},
	}
	settings := c.settings(server.Port, options)
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		command.Args = append(command.Args, "-c", name+"="+settings[name])
	}
	if options.Shared {
		path := filepath.Join(dir, fmt.Sprintf("lease-%d-%d", os.Getpid(), time.Now().UnixNano()))
		if server.lease, err = newLease(path, options.Linger); err != nil {
			return nil, err
		}
		command.lease = server.lease
	}

	if err := server.launch(ctx, command); err != nil {
		return nil, err
	}
	if options.Shared {
		pid := server.process.PID()
		server.process.disown()
		server.process = nil
		if err := server.announce(dir, pid); err != nil {
			server.lease.leave()
			return nil, err
		}
	}
	return server, nil
}

// launch starts the process and waits until it answers; if it doesn't, nothing is left of it.
func (p *Postgres) launch(ctx context.Context, command Command) error {
	from := fileSize(command.Log)
	var err error
	if p.process, err = Start(ctx, command); err != nil {
		return err
	}
	if err = p.awaitReady(ctx, p.process.Done()); err == nil {
		return nil
	}
	p.process.Kill()
	if p.lease != nil {
		p.lease.leave()
	}
	return fmt.Errorf("%w; its log (%s) ends with\n%s", err, command.Log, tail(command.Log, from))
}

func logOf(dir string) string { return filepath.Join(dir, "postgres.log") }

func (c *cluster) settings(port int, options PostgresOptions) map[string]string {
	settings := map[string]string{
		"listen_addresses":        "127.0.0.1",
		"port":                    strconv.Itoa(port),
		"unix_socket_directories": "", // a socket's path has to be short, and a folder's need not be
		"max_connections":         "300",
		"shared_buffers":          "128MB",
		"timezone":                "UTC",
		"log_timezone":            "UTC",
	}
	if !options.Durable {
		maps.Copy(settings, map[string]string{
			"fsync":              "off",
			"synchronous_commit": "off",
			"full_page_writes":   "off",
			"wal_level":          "minimal",
			"max_wal_senders":    "0",
			"min_wal_size":       "32MB",
			"max_wal_size":       "256MB",
			"checkpoint_timeout": "1h",
			"autovacuum":         "off",
			// Files in the cluster's folder, which go with it; POSIX's outlive a server that is killed.
			"dynamic_shared_memory_type": "mmap",
		})
	}
	maps.Copy(settings, options.Settings)
	return settings
}

// awaitReady waits until the server lets the superuser in.
func (p *Postgres) awaitReady(ctx context.Context, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		err := p.ping(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ended:
			return errors.New("the server ended before it answered")
		case <-ctx.Done():
			return fmt.Errorf("the server does not answer: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (p *Postgres) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := postgres.Connect(ctx, p.URL("postgres"))
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

// URL is where the superuser finds a database of this server.
func (p *Postgres) URL(database string) string {
	return p.UserURL("postgres", p.password, database)
}

// UserURL is where any user finds a database of this server.
func (p *Postgres) UserURL(user, password, database string) string {
	location := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(user, password),
		Host:     net.JoinHostPort("127.0.0.1", strconv.Itoa(p.Port)),
		Path:     database,
		RawQuery: "sslmode=disable",
	}
	return location.String()
}

// Process is the server's process; nil if the server is shared.
func (p *Postgres) Process() *Process { return p.process }

// Stop shuts the server down and waits until it is gone; of a shared server it ends this process's use.
func (p *Postgres) Stop(ctx context.Context) error {
	if p.lease != nil {
		p.lease.leave()
		return nil
	}
	defer p.lock.Close()
	return p.process.Stop(ctx)
}

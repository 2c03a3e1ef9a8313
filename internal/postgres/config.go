package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// neutral is a service file that holds libpq's own default of each setting that pgx would otherwise take from a PG*
// variable or from a file in the user's home. What it leaves empty counts as not set.
const neutral = `[banyan]
host=
port=
user=
password=
dbname=
passfile=
application_name=
connect_timeout=0
sslmode=
sslkey=
sslcert=
sslcertmode=allow
sslsni=
sslrootcert=
sslpassword=
sslnegotiation=
target_session_attrs=any
timezone=
options=
min_protocol_version=
max_protocol_version=
channel_binding=
require_auth=
`

// ParseConfig reads where a database is from its URL alone. PGSSLMODE, PGSERVICE and all the others in the
// environment, which are there for psql and may well belong to another server, change nothing, and neither do .pgpass
// and the certificates in the user's home. The error shows no password.
func ParseConfig(url string) (*pgx.ConnConfig, error) {
	var config *pgx.ConnConfig
	err := alone(url, func(url string) (err error) {
		config, err = pgx.ParseConfig(url)
		return err
	})
	if err != nil {
		return nil, err
	}
	dropUnset(config)
	return config, nil
}

// ParsePoolConfig is [ParseConfig] for a pool.
func ParsePoolConfig(url string) (*pgxpool.Config, error) {
	var config *pgxpool.Config
	err := alone(url, func(url string) (err error) {
		config, err = pgxpool.ParseConfig(url)
		return err
	})
	if err != nil {
		return nil, err
	}
	dropUnset(config.ConnConfig)
	return config, nil
}

// Connect opens a single connection, by the URL alone.
func Connect(ctx context.Context, url string) (*pgx.Conn, error) {
	config, err := ParseConfig(url)
	if err != nil {
		return nil, err
	}
	return pgx.ConnectConfig(ctx, config)
}

// alone has the URL parsed with nothing beside it. pgx can't be told to leave the environment alone, and to clear the
// environment would be a matter of the whole process. But a service wins over the environment, and the URL over the
// service. So the URL gets a service that sets everything. It comes last, where it also wins over PGSERVICE and over an
// older one in the URL of a parsed configuration. Its file is a pipe: a container may have no folder to write to.
func alone(url string, parse func(url string) error) error {
	read, write, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("read the database URL: %w", err)
	}
	defer read.Close()
	_, err = write.WriteString(neutral) // far less than a pipe holds
	if err := errors.Join(err, write.Close()); err != nil {
		return fmt.Errorf("read the database URL: %w", err)
	}

	file := fmt.Sprintf("/dev/fd/%d", read.Fd())
	_, location, isURL := strings.Cut(url, "://")
	if i := strings.IndexAny(location, "@/"); i >= 0 && location[i] == '@' {
		location = location[i+1:] // a password may hold a question mark
	}
	switch {
	case !isURL:
		url += " service=banyan servicefile=" + file
	case strings.Contains(location, "?"):
		url += "&service=banyan&servicefile=" + file
	default:
		url += "?service=banyan&servicefile=" + file
	}
	if err := parse(url); err != nil {
		return unreadable(err)
	}
	return nil
}

// dropUnset takes out what would be sent to the server although it is empty.
func dropUnset(config *pgx.ConnConfig) {
	for _, name := range []string{"application_name", "timezone", "options"} {
		if config.RuntimeParams[name] == "" {
			delete(config.RuntimeParams, name)
		}
	}
}

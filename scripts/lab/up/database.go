package up

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"banyan/internal/local"
	"banyan/internal/postgres"
	"banyan/migrations"
)

// postgresSettings suit a laptop that also runs everything else. What is not here is the server's default or
// internal/local's. Commits are durable, as in production: a lab that forgot them would prove nothing.
var postgresSettings = map[string]string{
	"shared_buffers":       "128MB",
	"max_connections":      "200",
	"effective_cache_size": "1GB",
	"random_page_cost":     "1.1", // there are no spinning disks any more
	"max_wal_size":         "2GB",
	"checkpoint_timeout":   "15min",
	"jit":                  "off", // short queries only
	"track_io_timing":      "on",
	"synchronous_commit":   "on",
	"fsync":                "on",
}

// startPostgres runs the lab's own server.
func startPostgres(ctx context.Context, dir string, port int) (*local.Postgres, error) {
	settings := maps.Clone(postgresSettings)
	if hasLibrary(ctx, "pg_stat_statements") {
		settings["shared_preload_libraries"] = "pg_stat_statements"
	}
	return local.StartPostgres(ctx, local.PostgresOptions{
		Dir: postgresDir(dir), Port: port, Durable: true, Settings: settings,
	})
}

func postgresDir(dir string) string { return filepath.Join(dir, "postgres") }

// hasLibrary says whether the server has an extension's library, which distributions may leave out.
func hasLibrary(ctx context.Context, name string) bool {
	install, err := local.FindPostgres(ctx)
	if err != nil {
		return false
	}
	folders := []string{filepath.Join(install.Bin, "../lib"), filepath.Join(install.Bin, "../lib/postgresql")}
	cmd := exec.CommandContext(ctx, filepath.Join(install.Bin, "pg_config"), "--pkglibdir")
	cmd.Env = local.PostgresEnv()
	if out, err := cmd.Output(); err == nil {
		folders = append(folders, strings.TrimSpace(string(out)))
	}
	for _, folder := range folders {
		for _, suffix := range []string{".so", ".dylib"} {
			if _, err := os.Stat(filepath.Join(folder, name+suffix)); err == nil {
				return true
			}
		}
	}
	return false
}

// prepareDatabases brings each side's database to where its processes can work with it: made,
// bootstrapped, with passwords and the schemas that it is to have, migrated. It may be repeated. The result are the
// superuser's URLs by side.
func prepareDatabases(ctx context.Context, admin string, schemas map[string][]string, secrets *secrets) (map[string]string, error) {
	databases, sides := map[string]string{}, slices.Sorted(maps.Keys(schemas))
	for _, side := range sides {
		var err error
		if databases[side], err = inDatabase(admin, side); err != nil {
			return nil, err
		}
	}
	if err := createDatabases(ctx, admin, sides); err != nil {
		return nil, err
	}
	// One after the other: the roles belong to the whole server.
	for _, side := range sides {
		if err := bootstrap(ctx, databases[side]); err != nil {
			return nil, err
		}
	}
	if err := setPasswords(ctx, admin, secrets); err != nil {
		return nil, err
	}

	return databases, migrate(ctx, databases, schemas, secrets)
}

// migrate brings schemas up to date, as their owners.
func migrate(ctx context.Context, databases map[string]string, schemas map[string][]string, secrets *secrets) error {
	migrating, ctx := errgroup.WithContext(ctx)
	for side, all := range schemas {
		for _, schema := range all {
			migrating.Go(func() error {
				owner := schema + "_owner"
				location, err := withUser(databases[side], owner, secrets.Roles[owner], side, "lab")
				if err != nil {
					return err
				}
				_, err = postgres.Migrate(ctx, location, migrations.Of(schema))
				return err
			})
		}
	}
	return migrating.Wait()
}

// adminURL checks that a URL can be what the lab needs: a URL and not a list of words.
func adminURL(databaseURL string) (string, error) {
	location, err := url.Parse(databaseURL)
	if err != nil || location.Host == "" || (location.Scheme != "postgres" && location.Scheme != "postgresql") {
		return "", errors.New("DATABASE_URL must look like postgres://user:password@host:5432/postgres, with a superuser")
	}
	if location.Path == "" || location.Path == "/" {
		location.Path = "/postgres"
	}
	return location.String(), nil
}

// inDatabase is the same user's URL of another database.
func inDatabase(admin, database string) (string, error) {
	location, err := url.Parse(admin)
	if err != nil {
		return "", fmt.Errorf("the database's URL can't be read") // the error would show the password
	}
	location.Path = "/" + database
	return location.String(), nil
}

func createDatabases(ctx context.Context, admin string, sides []string) error {
	conn, err := postgres.Connect(ctx, admin)
	if err != nil {
		return fmt.Errorf("reach PostgreSQL: %w", err)
	}
	defer conn.Close(ctx)
	for _, side := range sides {
		m, err := readMark(ctx, conn, side)
		if err != nil {
			return err
		}
		if m.unfinished {
			if _, err := conn.Exec(ctx, `drop database `+pgx.Identifier{side}.Sanitize()+` with (force)`); err != nil {
				return fmt.Errorf("drop database %s, whose seeding was broken off: %w", side, err)
			}
		}
		var exists bool
		if err := conn.QueryRow(ctx, `select exists (select from pg_database where datname = $1)`, side).Scan(&exists); err != nil {
			return fmt.Errorf("look for database %s: %w", side, err)
		}
		if !exists {
			if err := postgres.CreateDatabase(ctx, conn, side); err != nil {
				return err
			}
		}
		// Before any password is changed on a server that is not the lab's own.
		location, err := inDatabase(admin, side)
		if err != nil {
			return err
		}
		if err := postgres.CheckText(ctx, location); err != nil {
			return err
		}
	}
	return nil
}

func bootstrap(ctx context.Context, database string) error {
	script, err := migrations.FS.ReadFile("bootstrap.sql")
	if err != nil {
		return err
	}
	return execute(ctx, database, "bootstrap the schemas and roles", string(script))
}

// setPasswords makes the roles' passwords those of this lab. Generated passwords are letters and digits.
func setPasswords(ctx context.Context, admin string, secrets *secrets) error {
	var script strings.Builder
	for role, password := range secrets.Roles {
		fmt.Fprintf(&script, "alter role %s password '%s';\n", pgx.Identifier{role}.Sanitize(), password)
	}
	return execute(ctx, admin, "set the roles' passwords", script.String())
}

// countStatements makes the server's statement statistics readable, in database postgres, where the library
// is loaded.
func countStatements(ctx context.Context, admin string) error {
	return execute(ctx, admin, "create the extension pg_stat_statements", `
do $$
begin
  if current_setting('shared_preload_libraries') like '%pg_stat_statements%' then
    create extension if not exists pg_stat_statements;
  end if;
end
$$`)
}

// execute runs a script of several statements.
func execute(ctx context.Context, database, what, script string) error {
	conn, err := postgres.Connect(ctx, database)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	defer conn.Close(ctx)
	if _, err := conn.PgConn().Exec(ctx, script).ReadAll(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

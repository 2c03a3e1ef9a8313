package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"banyan/internal/postgres"
	"banyan/migrations"
	"banyan/scripts/lab/up"
)

type migrateCommand struct {
	Schema []string `help:"Only this schema; may be repeated. The trunk's is called trunk. Default: all that the running lab works with."`
}

func (c *migrateCommand) Help() string {
	return "On the running lab's databases. Without a lab, on the database of DATABASE_URL, which logs in as the owner of " +
		"the one schema that --schema names."
}

type migrated struct {
	Schema  string `json:"schema"`
	Version int64  `json:"version"`
}

func (c *migrateCommand) Run(ctx context.Context, line *commands, to streams) error {
	for _, schema := range c.Schema {
		if known := append([]string{up.Trunk}, migrations.Schemas...); !slices.Contains(known, schema) {
			return fmt.Errorf("there is no schema %q: it is one of %s", schema, strings.Join(known, ", "))
		}
	}
	ownerURL, err := c.owners(line.Dir)
	if err != nil {
		return err
	}
	var done []migrated
	for _, schema := range c.Schema {
		location, err := ownerURL(schema)
		if err != nil {
			return err
		}
		version, err := postgres.Migrate(ctx, location, migrations.Of(up.SchemaOf(schema)))
		if err != nil {
			return err
		}
		done = append(done, migrated{schema, version})
		if !line.JSON {
			fmt.Fprintf(to.out, "%-14s at version %d\n", schema, version)
		}
	}
	if line.JSON {
		return json.NewEncoder(to.out).Encode(done)
	}
	return nil
}

// owners returns the function that finds the URL of a schema's owner, and fills in the schemas to migrate.
func (c *migrateCommand) owners(dir string) (func(schema string) (string, error), error) {
	state, err := up.Running(dir)
	if err == nil {
		if len(c.Schema) == 0 {
			c.Schema = state.Schemas()
		}
		return state.OwnerURL, nil
	}
	given := os.Getenv("DATABASE_URL")
	if !errors.Is(err, up.ErrNotRunning) {
		return nil, err
	}
	if given == "" {
		return nil, fmt.Errorf("%w; or set DATABASE_URL to the URL of a schema's owner", err)
	}
	if len(c.Schema) != 1 {
		return nil, errors.New("no lab is running and DATABASE_URL is set: say which schema to migrate there, as in --schema orders")
	}
	config, err := postgres.ParseConfig(given)
	if err != nil {
		return nil, fmt.Errorf("read DATABASE_URL: %w", err) // pgx leaves the password out
	}
	// SQL names no schema: somebody else's search_path would lead the tables astray.
	if owner := up.SchemaOf(c.Schema[0]) + "_owner"; config.User != owner {
		return nil, fmt.Errorf("DATABASE_URL logs in as %s; the migrations of %s are applied as %s", config.User, c.Schema[0], owner)
	}
	return func(string) (string, error) { return given, nil }, nil
}

package main

import (
	"context"

	"banyan/scripts/lab/up"
)

// prepareCommand has a command for each one-shot container of compose.yaml. Each may be repeated.
type prepareCommand struct {
	Postgres string `help:"Where PostgreSQL listens." default:"postgres:5432" placeholder:"HOST:PORT"`
	NATS     string `name:"nats" help:"Where NATS listens." default:"nats:4222" placeholder:"HOST:PORT"`

	Secrets   prepareSecretsCommand   `cmd:"" help:"Make passwords and keys, once, and write for each process what only it may read. Needs root."`
	Databases prepareDatabasesCommand `cmd:"" help:"Make the databases, with roles, schemas and migrations."`
	Data      prepareDataCommand      `cmd:"" help:"Fill databases that are empty. Needs root."`
	Stream    prepareStreamCommand    `cmd:"" help:"Make the stream of events."`
}

func (c *prepareCommand) Help() string {
	return "The servers run already; passwords and keys are kept in the folder of --dir."
}

func (c *prepareCommand) containers(line *commands, to streams) *up.Containers {
	return &up.Containers{Dir: line.Dir, Postgres: c.Postgres, NATS: c.NATS, Out: to.err}
}

type prepareSecretsCommand struct{}

func (*prepareSecretsCommand) Run(line *commands, to streams) error {
	return line.Prepare.containers(line, to).WriteSecrets()
}

type prepareDatabasesCommand struct{}

func (*prepareDatabasesCommand) Run(ctx context.Context, line *commands, to streams) error {
	return line.Prepare.containers(line, to).PrepareDatabases(ctx)
}

type prepareDataCommand struct {
	SeedSize string `help:"How much data to start with: small, medium or large. Default: what is there, or small." env:"SEED_SIZE"`
}

func (c *prepareDataCommand) Run(ctx context.Context, line *commands, to streams) error {
	return line.Prepare.containers(line, to).Seed(ctx, c.SeedSize)
}

type prepareStreamCommand struct{}

func (*prepareStreamCommand) Run(ctx context.Context, line *commands, to streams) error {
	return line.Prepare.containers(line, to).MakeStream(ctx)
}

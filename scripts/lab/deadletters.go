package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"banyan/internal/events"
	"banyan/internal/postgres"
	"banyan/scripts/lab/deadletters"
	"banyan/scripts/lab/up"
)

type deadlettersCommand struct {
	List   deadlettersList   `cmd:"" help:"List the events that services put aside: rejected, refused by the database, or failing for too long."`
	Replay deadlettersReplay `cmd:"" help:"Ask a service to try events again that it put aside."`
}

type deadlettersList struct {
	Service string `arg:"" optional:"" help:"One service; without it, all of them."`
}

type deadlettersReplay struct {
	Service string      `arg:"" help:"The service that put them aside."`
	Events  []uuid.UUID `arg:"" optional:"" help:"Ids of the events; without them, all that the service put aside."`
}

func (c *deadlettersList) Run(ctx context.Context, line *commands, to streams) error {
	state, err := up.Running(line.Dir)
	if err != nil {
		return err
	}
	services := []string{c.Service}
	if c.Service == "" {
		if services = consumers(state); len(services) == 0 {
			return errNoConsumers
		}
	}
	rejected := map[string][]events.DeadLetter{}
	for _, service := range services {
		err := withPool(ctx, state, service, func(pool *pgxpool.Pool) (err error) {
			rejected[service], err = deadletters.List(ctx, pool)
			return err
		})
		if err != nil {
			return fmt.Errorf("dead letters of %s: %w", service, err)
		}
	}
	if line.JSON {
		return json.NewEncoder(to.out).Encode(rejected)
	}
	for _, service := range services {
		fmt.Fprintf(to.out, "%s\n", service)
		if err := deadletters.Print(to.out, rejected[service]); err != nil {
			return err
		}
		fmt.Fprintln(to.out)
	}
	return nil
}

func (c *deadlettersReplay) Run(ctx context.Context, line *commands, to streams) error {
	state, err := up.Running(line.Dir)
	if err != nil {
		return err
	}
	var replayed []uuid.UUID
	err = withPool(ctx, state, c.Service, func(pool *pgxpool.Pool) (err error) {
		replayed, err = deadletters.Replay(ctx, pool, c.Events...)
		return err
	})
	if err != nil {
		return fmt.Errorf("replay dead letters of %s: %w", c.Service, err)
	}
	if line.JSON {
		return json.NewEncoder(to.out).Encode(replayed)
	}
	fmt.Fprintf(to.out, "%d events are tried again; lab deadletters list %s shows what is rejected once more\n", len(replayed), c.Service)
	return nil
}

var errNoConsumers = errors.New("only services consume events, and the running lab has none: start it without --only")

// consumers are the services that can reject events.
func consumers(state *up.State) []string {
	if state.GatewayURL == "" {
		return nil
	}
	var names []string
	for _, process := range state.Schemas() {
		if process != up.Monolith && process != "accounts" && (process != up.Trunk || state.Step >= 4) {
			names = append(names, process)
		}
	}
	return names
}

// withPool works on the database of a service, as the service itself.
func withPool(ctx context.Context, state *up.State, service string, do func(*pgxpool.Pool) error) error {
	if known := consumers(state); !slices.Contains(known, service) {
		if len(known) == 0 {
			return errNoConsumers
		}
		return fmt.Errorf("there is no such service: it is one of %s", strings.Join(known, ", "))
	}
	location, err := state.AppURL(service)
	if err != nil {
		return err
	}
	pool, err := postgres.Open(ctx, location, postgres.Options{MaxConns: 1})
	if err != nil {
		return err
	}
	defer pool.Close()
	return do(pool)
}

package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"banyan/internal/events"
	"banyan/internal/postgres"
	"banyan/internal/process"
	"banyan/internal/telemetry"
	"banyan/internal/token"
	"banyan/internal/web"
	"banyan/migrations"
)

func main() {
	process.Healthcheck(os.Args)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Environ(), os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "accounts:", err)
		os.Exit(1)
	}
}

// Config is what accounts reads from the environment.
type Config struct {
	Addr        string     `env:"ADDR" envDefault:"127.0.0.1:8101"`
	OpsAddr     string     `env:"OPS_ADDR" envDefault:"127.0.0.1:8201"`
	LogLevel    slog.Level `env:"LOG_LEVEL" envDefault:"info"`
	Profiling   bool       `env:"PPROF"`   // in the lab only
	Standby     bool       `env:"STANDBY"` // serve requests, and do nothing else
	DatabaseURL string     `env:"DATABASE_URL,required,notEmpty"`
	PoolSize    int32      `env:"POOL_SIZE" envDefault:"8"`
	NATSURL     string     `env:"NATS_URL,required,notEmpty"`
	SigningKeys string     `env:"SIGNING_KEYS,required,notEmpty"` // the first signs user tokens, all are published
	Callers     string     `env:"CALLERS,required,notEmpty"`      // who may call, by public key
}

func run(ctx context.Context, environ []string, stderr io.Writer) error {
	cfg, err := process.Config[Config](environ)
	if err != nil {
		return err
	}
	keys, err := token.ParseSigningKeys(cfg.SigningKeys)
	if err != nil {
		return fmt.Errorf("read SIGNING_KEYS: %w", err)
	}
	callers, err := token.ParseCallers(cfg.Callers)
	if err != nil {
		return fmt.Errorf("read CALLERS: %w", err)
	}
	log := telemetry.NewLogger(stderr, "accounts", cfg.LogLevel)
	registry := telemetry.NewRegistry()

	pool, err := postgres.Open(ctx, cfg.DatabaseURL, postgres.Options{MaxConns: cfg.PoolSize})
	if err != nil {
		return err
	}
	defer pool.Close()
	pulse := postgres.NewPulse(pool)
	defer pulse.Close()
	if err := postgres.CheckVersion(ctx, pool, migrations.Of("accounts")); err != nil {
		return err
	}
	if err := postgres.CheckHandedOver(ctx, pool, "accounts", "accounts"); err != nil && !cfg.Standby {
		return err
	}
	telemetry.WatchPool(registry, pool)

	broker, err := events.Connect(ctx, cfg.NATSURL, "accounts", log)
	if err != nil {
		return err
	}
	defer broker.Close()
	relay := events.NewRelay(events.RelayConfig{
		Pool: pool, NATS: broker, Area: events.Only("accounts"), Source: "accounts", Log: log, Metrics: registry,
	})
	members := New(pool, relay.Wake, token.NewSigner("accounts", keys))

	e := web.New(web.Options{Log: log, Metrics: telemetry.NewRequests(registry)})
	admission := token.NewAdmission("accounts", callers)
	Register(e.Group(""), members, web.SignedIn(members.Authenticate), web.Admit(admission.Require("gateway")))

	app := process.New(log, registry)
	app.Standby(cfg.Standby)
	app.Serve(cfg.Addr, e)
	app.ServeOps(cfg.OpsAddr, cfg.Profiling)
	app.Ready("postgres", pulse.Check)
	app.Work("sessions", func(ctx context.Context) error { return members.Run(ctx, log) })
	app.Relay("relay", relay.Run)
	return app.Run(ctx)
}

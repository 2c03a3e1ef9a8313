package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

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
		fmt.Fprintln(os.Stderr, "orders:", err)
		os.Exit(1)
	}
}

// Config is what orders reads from the environment.
type Config struct {
	Addr         string        `env:"ADDR" envDefault:"127.0.0.1:8104"`
	OpsAddr      string        `env:"OPS_ADDR" envDefault:"127.0.0.1:8204"`
	LogLevel     slog.Level    `env:"LOG_LEVEL" envDefault:"info"`
	Profiling    bool          `env:"PPROF"`   // in the lab only
	Standby      bool          `env:"STANDBY"` // serve requests, and do nothing else
	DatabaseURL  string        `env:"DATABASE_URL,required,notEmpty"`
	PoolSize     int32         `env:"POOL_SIZE" envDefault:"8"`
	NATSURL      string        `env:"NATS_URL,required,notEmpty"`
	AccountsURL  string        `env:"ACCOUNTS_URL,required,notEmpty"`  // publishes the keys that sign user tokens
	ServiceKey   string        `env:"SERVICE_KEY,required,notEmpty"`   // signs the calls to the neighbours
	InventoryURL string        `env:"INVENTORY_URL,required,notEmpty"` // like all of them: several instances separated by commas
	PaymentsURL  string        `env:"PAYMENTS_URL,required,notEmpty"`
	ShippingURL  string        `env:"SHIPPING_URL,required,notEmpty"`
	SweepAfter   time.Duration `env:"SWEEP_AFTER" envDefault:"5s"` // longer than a checkout may take
}

func run(ctx context.Context, environ []string, stderr io.Writer) error {
	cfg, err := process.Config[Config](environ)
	if err != nil {
		return err
	}
	log := telemetry.NewLogger(stderr, "orders", cfg.LogLevel)
	registry := telemetry.NewRegistry()

	key, err := token.ParseSigningKey(cfg.ServiceKey)
	if err != nil {
		return fmt.Errorf("read SERVICE_KEY: %w", err)
	}
	pool, err := postgres.Open(ctx, cfg.DatabaseURL, postgres.Options{MaxConns: cfg.PoolSize})
	if err != nil {
		return err
	}
	defer pool.Close()
	pulse := postgres.NewPulse(pool)
	defer pulse.Close()
	if err := postgres.CheckVersion(ctx, pool, migrations.Of("orders")); err != nil {
		return err
	}
	if err := postgres.CheckHandedOver(ctx, pool, "orders", "orders"); err != nil && !cfg.Standby {
		return err
	}
	telemetry.WatchPool(registry, pool)

	broker, err := events.Connect(ctx, cfg.NATSURL, "orders", log)
	if err != nil {
		return err
	}
	defer broker.Close()
	relay := events.NewRelay(events.RelayConfig{
		Pool: pool, NATS: broker, Area: events.Only("orders"), Source: "orders", Log: log, Metrics: registry,
	})
	caller := token.NewCaller("orders", key)
	sales := New(pool, relay.Wake, Far{
		Stock:     RemoteInventory(cfg.InventoryURL, caller),
		Payments:  RemotePayments(cfg.PaymentsURL, caller),
		Shipments: RemoteShipping(cfg.ShippingURL, caller),
	}, cfg.SweepAfter)
	consumer := events.NewConsumer(events.ConsumerConfig{
		Name: "orders", Pool: pool, NATS: broker, Log: log, Metrics: registry,
	})
	sales.Consume(consumer)
	registry.MustRegister(OldestPending(pool))

	e := web.New(web.Options{Log: log, Metrics: telemetry.NewRequests(registry)})
	users := token.NewVerifier(token.VerifierConfig{
		Issuer: "accounts", IssuerURL: cfg.AccountsURL, Log: log,
	})
	Register(e.Group(""), sales, web.SignedIn(users.Authenticate))

	app := process.New(log, registry)
	app.Standby(cfg.Standby)
	app.Serve(cfg.Addr, e)
	app.ServeOps(cfg.OpsAddr, cfg.Profiling)
	app.Ready("postgres", pulse.Check)
	app.Work("sweeper", func(ctx context.Context) error { return sales.Run(ctx, log) })
	app.Work("consumer", consumer.Run)
	app.Relay("relay", relay.Run)
	return app.Run(ctx)
}

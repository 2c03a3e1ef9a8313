// The monolith is the whole bookstore in one process on one schema: the simplest
// and the fastest way to run this shop on one machine, and where the ladder of
// extractions begins.
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

	"banyan/docs/api"
	"banyan/internal/postgres"
	"banyan/internal/process"
	"banyan/internal/telemetry"
	"banyan/internal/web"
	"banyan/internal/web/apidocs"
	"banyan/migrations"
	"banyan/monolith/accounts"
	"banyan/monolith/catalog"
	"banyan/monolith/inventory"
	"banyan/monolith/notifications"
	"banyan/monolith/orders"
	"banyan/monolith/payments"
	"banyan/monolith/shipping"
)

func main() {
	process.Healthcheck(os.Args)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Environ(), os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "monolith:", err)
		os.Exit(1)
	}
}

// Config is what the monolith reads from the environment.
type Config struct {
	Addr         string        `env:"ADDR" envDefault:"127.0.0.1:8080"`
	OpsAddr      string        `env:"OPS_ADDR" envDefault:"127.0.0.1:8081"`
	LogLevel     slog.Level    `env:"LOG_LEVEL" envDefault:"info"`
	Profiling    bool          `env:"PPROF"` // in the lab only
	DatabaseURL  string        `env:"DATABASE_URL,required,notEmpty"`
	PoolSize     int32         `env:"POOL_SIZE" envDefault:"16"`
	ProcessorURL string        `env:"PROCESSOR_URL,required,notEmpty"`
	ProcessorKey string        `env:"PROCESSOR_KEY,required,notEmpty"`
	SMTPAddr     string        `env:"SMTP_ADDR,required,notEmpty"`
	MailFrom     string        `env:"MAIL_FROM" envDefault:"shop@banyan.example"`
	SweepAfter   time.Duration `env:"SWEEP_AFTER" envDefault:"5s"`    // longer than a checkout may take
	SessionCache time.Duration `env:"SESSION_CACHE" envDefault:"30s"` // 0 to ask the database each time
	MaxRequests  uint          `env:"MAX_REQUESTS" envDefault:"2048"` // inside at once, whatever the door finds; more are told to come back. 0 for no limit
}

func run(ctx context.Context, environ []string, stderr io.Writer) error {
	cfg, err := process.Config[Config](environ)
	if err != nil {
		return err
	}
	log := telemetry.NewLogger(stderr, "monolith", cfg.LogLevel)
	registry := telemetry.NewRegistry()

	pool, err := postgres.Open(ctx, cfg.DatabaseURL, postgres.Options{MaxConns: cfg.PoolSize})
	if err != nil {
		return err
	}
	defer pool.Close()
	pulse := postgres.NewPulse(pool)
	defer pulse.Close()
	if err := postgres.CheckVersion(ctx, pool, migrations.Of("monolith")); err != nil {
		return err
	}
	telemetry.WatchPool(registry, pool)

	// The modules and the seams between them.
	mailer, err := notifications.NewMailer(cfg.SMTPAddr, cfg.MailFrom)
	if err != nil {
		return err
	}
	mail := notifications.New(pool, mailer)
	members := accounts.New(pool, mail, cfg.SessionCache)
	books := catalog.New(pool)
	stock := inventory.New(pool)
	money := payments.New(pool, payments.NewProcessor(cfg.ProcessorURL, cfg.ProcessorKey))
	parcels := shipping.New(pool, orders.Fulfilment{Mail: mail})
	sales := orders.New(pool, orders.Neighbours{
		Stock: stock, Payments: money, Recovery: money, Shipments: parcels, Mail: mail,
	}, cfg.SweepAfter)

	door := web.NewDoor(cfg.MaxRequests, "/v1/accounts", "/v1/sessions", "/v1/books", "/v1/stock", "/v1/cart", "/v1/orders",
		"/v1/payments", "/v1/shipments", "/v1/notifications")
	e := web.New(web.Options{Log: log, Metrics: telemetry.NewRequests(registry)})
	registry.MustRegister(door, orders.OldestPending(pool))
	apidocs.Register(e, "Banyan, the monolith", api.OpenAPI)
	routes := e.Group("")
	signedIn := web.SignedIn(members.Authenticate)
	accounts.Register(routes, members, signedIn)
	catalog.Register(routes, books, signedIn)
	inventory.Register(routes, stock, signedIn)
	orders.Register(routes, sales, signedIn)
	payments.Register(routes, money, signedIn)
	shipping.Register(routes, parcels, signedIn)
	notifications.Register(routes, mail, signedIn)

	app := process.New(log, registry)
	app.Serve(cfg.Addr, door.Guard(e))
	app.ServeOps(cfg.OpsAddr, cfg.Profiling)
	app.Ready("postgres", pulse.Check)
	app.Work("sessions", func(ctx context.Context) error { return members.Run(ctx, log) })
	app.Work("sweeper", func(ctx context.Context) error { return sales.Run(ctx, log) })
	app.Work("refunds", func(ctx context.Context) error { return money.Run(ctx, log) })
	app.Work("mail", func(ctx context.Context) error { return mail.Run(ctx, log) })
	return app.Run(ctx)
}

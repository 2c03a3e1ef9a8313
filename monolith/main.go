// The monolith is the whole bookstore in one process on one schema: the simplest
// and the fastest way to run this shop on one machine, and where the ladder of
// extractions begins.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/labstack/echo/v4"
	"github.com/nats-io/nats.go"

	"banyan/docs/api"
	"banyan/internal/events"
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

func run(ctx context.Context, environ []string, stderr io.Writer) error {
	cfg, err := readConfig(environ)
	if err != nil {
		return err
	}
	log := telemetry.NewLogger(stderr, "monolith", cfg.LogLevel)
	registry := telemetry.NewRegistry()
	app := process.New(log, registry)
	app.Standby(cfg.Standby)

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
	if err := cfg.checkOwnership(ctx, pool); err != nil {
		return err
	}
	telemetry.WatchPool(registry, pool)

	// Once an area has left, it is told what it has to know by events.
	wake := func() {}
	var broker *nats.Conn
	if cfg.far("notifications") {
		if broker, err = events.Connect(ctx, cfg.NATSURL, "monolith", log); err != nil {
			return err
		}
		defer broker.Close()
		relay := events.NewRelay(events.RelayConfig{
			Pool: pool, NATS: broker, Area: areaOf, Source: "monolith", Log: log, Metrics: registry,
		})
		wake = relay.Wake
		app.Relay("relay", relay.Run)
	}
	m, err := assemble(cfg, pool, wake, log)
	if err != nil {
		return err
	}
	if cfg.far("catalog") {
		consumer := events.NewConsumer(events.ConsumerConfig{
			Name: "monolith", Pool: pool, NATS: broker, Log: log, Metrics: registry,
		})
		m.sales.Consume(consumer)
		app.Work("consumer", consumer.Run)
	}

	door := web.NewDoor(cfg.MaxRequests, "/v1/accounts", "/v1/sessions", "/v1/books", "/v1/stock", "/v1/cart", "/v1/orders",
		"/v1/payments", "/v1/shipments", "/v1/notifications")
	e := web.New(web.Options{Log: log, Metrics: telemetry.NewRequests(registry)})
	registry.MustRegister(door, orders.OldestPending(pool))
	apidocs.Register(e, "Banyan, the monolith", api.OpenAPI)
	m.register(e.Group(""))

	app.Serve(cfg.Addr, door.Guard(e))
	app.ServeOps(cfg.OpsAddr, cfg.Profiling)
	app.Ready("postgres", pulse.Check)
	m.work(app, log)
	return app.Run(ctx)
}

// register adds the routes of what is here.
func (m *modules) register(routes *echo.Group) {
	signedIn := web.SignedIn(m.authenticate)
	var fromGateway echo.MiddlewareFunc
	if m.admitGateway != nil {
		fromGateway = web.Admit(m.admitGateway)
	}
	if m.members != nil {
		accounts.Register(routes, m.members, signedIn, fromGateway)
	}
	if m.books != nil {
		catalog.Register(routes, m.books, signedIn)
	}
	if m.stock != nil {
		inventory.Register(routes, m.stock, signedIn)
	}
	orders.Register(routes, m.sales, signedIn)
	if m.money != nil {
		payments.Register(routes, m.money, signedIn)
	}
	if m.parcels != nil {
		shipping.Register(routes, m.parcels, signedIn)
	}
	if m.mail != nil {
		notifications.Register(routes, m.mail, signedIn)
	}
}

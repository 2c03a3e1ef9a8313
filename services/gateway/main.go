package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"banyan/internal/process"
	"banyan/internal/telemetry"
	"banyan/internal/token"
	"banyan/internal/web"
)

// Config is what the environment says.
type Config struct {
	Addr        string        `env:"ADDR" envDefault:"127.0.0.1:8090"`
	OpsAddr     string        `env:"OPS_ADDR" envDefault:"127.0.0.1:8091"`
	LogLevel    slog.Level    `env:"LOG_LEVEL" envDefault:"info"`
	RoutesFile  string        `env:"ROUTES_FILE,required,notEmpty"`
	AccountsURL string        `env:"ACCOUNTS_URL"` // exchanges session tokens; needed once a route wants that
	ServiceKey  string        `env:"SERVICE_KEY"`  // base64 of an Ed25519 seed: the gateway's own; likewise
	RateLimit   rateLimit     `env:"RATE_LIMIT" envDefault:"10000/s"`
	MaxRequests uint          `env:"MAX_REQUESTS" envDefault:"2048"` // inside at once, whatever the door finds; more are told to come back. 0 for no limit
	TokenCache  tokenCacheTTL `env:"TOKEN_CACHE" envDefault:"30s"`
}

func main() {
	process.Healthcheck(os.Args)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Environ(), os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "gateway:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, environ []string, stderr io.Writer) error {
	cfg, err := process.Config[Config](environ)
	if err != nil {
		return err
	}
	table, err := readTable(cfg.RoutesFile)
	if err != nil {
		return fmt.Errorf("ROUTES_FILE: %w", err)
	}
	accounts, err := accountsClient(cfg, table)
	if err != nil {
		return err
	}
	log := telemetry.NewLogger(stderr, "gateway", cfg.LogLevel)
	registry := telemetry.NewRegistry()

	gateway := &gateway{
		clients:    newClients(cfg.RateLimit),
		identities: newIdentities(accounts, time.Duration(cfg.TokenCache)),
		proxy:      newProxy(log),
		door:       web.NewDoor(cfg.MaxRequests, table.prefixes()...),
	}
	gateway.table.Store(table)
	gateway.register(registry)

	app := process.New(log, registry)
	app.Serve(cfg.Addr, gateway.handler(log, telemetry.NewRequests(registry)))
	app.ServeOps(cfg.OpsAddr, false)
	app.Close("connections", func() { gateway.table.Load().close() })
	return app.Run(ctx)
}

// accountsClient calls accounts as the gateway. It is nil while no route exchanges
// tokens: before accounts is a service, there is nobody to call.
func accountsClient(cfg Config, t *table) (*web.Client, error) {
	if !t.exchanges() {
		return nil, nil
	}
	if cfg.AccountsURL == "" {
		return nil, errors.New("ACCOUNTS_URL is not set, and the routes exchange tokens there")
	}
	key, err := token.ParseSigningKey(cfg.ServiceKey)
	if err != nil {
		return nil, fmt.Errorf("SERVICE_KEY: %w", err)
	}
	caller := token.NewCaller("gateway", key)
	return web.NewClient(web.ClientConfig{
		Base:    cfg.AccountsURL,
		Timeout: exchangeTimeout,
		Bearer:  func() (string, error) { return caller.Token("accounts") },
	}), nil
}

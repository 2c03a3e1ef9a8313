package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"banyan/internal/process"
	"banyan/internal/telemetry"
	"banyan/internal/token"
)

// Config is what the environment says.
type Config struct {
	Addr        string        `env:"ADDR" envDefault:"127.0.0.1:8090"`
	OpsAddr     string        `env:"OPS_ADDR" envDefault:"127.0.0.1:8091"`
	LogLevel    slog.Level    `env:"LOG_LEVEL" envDefault:"info"`
	RoutesFile  string        `env:"ROUTES_FILE,required,notEmpty"`
	ServiceKey  string        `env:"SERVICE_KEY"` // base64 of an Ed25519 seed: the gateway's own; needed once a route exchanges session tokens
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
	bearer, err := bearerOf(cfg)
	if err != nil {
		return err
	}
	log := telemetry.NewLogger(stderr, "gateway", cfg.LogLevel)
	registry := telemetry.NewRegistry()

	gateway := newGateway(cfg, bearer, log)
	if err := gateway.loadTable(cfg.RoutesFile); err != nil {
		return fmt.Errorf("ROUTES_FILE: %w", err)
	}
	gateway.register(registry)

	app := process.New(log, registry)
	app.Serve(cfg.Addr, gateway.handler(log, telemetry.NewRequests(registry)))
	app.ServeOps(cfg.OpsAddr, false)
	for pattern, endpoint := range gateway.endpoints() {
		app.HandleOps(pattern, endpoint)
	}
	app.Close("shadow", func() { gateway.stopShadow() })
	app.Close("connections", func() { gateway.table.Load().close() })
	// A stop waits for all requests, so those that are held have to go at once.
	defer context.AfterFunc(ctx, gateway.gate.stop)()
	return app.Run(ctx)
}

// bearerOf makes the tokens by which those who exchange session tokens know the gateway. It is nil without a key: before
// a route exchanges tokens, there is nobody to call.
func bearerOf(cfg Config) (func() (string, error), error) {
	if cfg.ServiceKey == "" {
		return nil, nil
	}
	key, err := token.ParseSigningKey(cfg.ServiceKey)
	if err != nil {
		return nil, fmt.Errorf("SERVICE_KEY: %w", err)
	}
	caller := token.NewCaller("gateway", key)
	return func() (string, error) { return caller.Token("accounts") }, nil
}

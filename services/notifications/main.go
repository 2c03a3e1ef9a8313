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
		fmt.Fprintln(os.Stderr, "notifications:", err)
		os.Exit(1)
	}
}

// Config is what notifications reads from the environment.
type Config struct {
	Addr        string     `env:"ADDR" envDefault:"127.0.0.1:8107"`
	OpsAddr     string     `env:"OPS_ADDR" envDefault:"127.0.0.1:8207"`
	LogLevel    slog.Level `env:"LOG_LEVEL" envDefault:"info"`
	Profiling   bool       `env:"PPROF"`   // in the lab only
	Standby     bool       `env:"STANDBY"` // serve requests, and do nothing else
	DatabaseURL string     `env:"DATABASE_URL,required,notEmpty"`
	PoolSize    int32      `env:"POOL_SIZE" envDefault:"8"`
	NATSURL     string     `env:"NATS_URL,required,notEmpty"`
	AccountsURL string     `env:"ACCOUNTS_URL,required,notEmpty"` // publishes the keys that sign user tokens
	SMTPAddr    string     `env:"SMTP_ADDR,required,notEmpty"`
	MailFrom    string     `env:"MAIL_FROM" envDefault:"shop@banyan.example"`
}

func run(ctx context.Context, environ []string, stderr io.Writer) error {
	cfg, err := process.Config[Config](environ)
	if err != nil {
		return err
	}
	log := telemetry.NewLogger(stderr, "notifications", cfg.LogLevel)
	registry := telemetry.NewRegistry()

	pool, err := postgres.Open(ctx, cfg.DatabaseURL, postgres.Options{MaxConns: cfg.PoolSize})
	if err != nil {
		return err
	}
	defer pool.Close()
	pulse := postgres.NewPulse(pool)
	defer pulse.Close()
	if err := postgres.CheckVersion(ctx, pool, migrations.Of("notifications")); err != nil {
		return err
	}
	if err := postgres.CheckHandedOver(ctx, pool, "notifications", "notifications"); err != nil && !cfg.Standby {
		return err
	}
	telemetry.WatchPool(registry, pool)

	broker, err := events.Connect(ctx, cfg.NATSURL, "notifications", log)
	if err != nil {
		return err
	}
	defer broker.Close()
	mailer, err := NewMailer(cfg.SMTPAddr, cfg.MailFrom)
	if err != nil {
		return err
	}
	mail := New(pool, mailer)
	consumer := events.NewConsumer(events.ConsumerConfig{
		Name: "notifications", Pool: pool, NATS: broker, Log: log, Metrics: registry, AfterCommit: mail.Wake,
	})
	mail.Consume(consumer)

	e := web.New(web.Options{Log: log, Metrics: telemetry.NewRequests(registry)})
	users := token.NewVerifier(token.VerifierConfig{
		Issuer: "accounts", IssuerURL: cfg.AccountsURL, Log: log,
	})
	Register(e.Group(""), mail, web.SignedIn(users.Authenticate))

	app := process.New(log, registry)
	app.Standby(cfg.Standby)
	app.Serve(cfg.Addr, e)
	app.ServeOps(cfg.OpsAddr, cfg.Profiling)
	app.Ready("postgres", pulse.Check)
	app.Work("consumer", consumer.Run)
	app.Work("mail", func(ctx context.Context) error { return mail.Run(ctx, log) })
	return app.Run(ctx)
}

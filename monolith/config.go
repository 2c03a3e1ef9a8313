package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"banyan/internal/postgres"
	"banyan/internal/process"
)

// Config is what the monolith reads from the environment. With nothing extracted
// it is the whole shop. Each area in Extracted has become a service; then the
// monolith is the trunk of that step of the ladder, and some other variables are
// needed instead (needs).
type Config struct {
	Addr         string        `env:"ADDR" envDefault:"127.0.0.1:8080"`
	OpsAddr      string        `env:"OPS_ADDR" envDefault:"127.0.0.1:8081"`
	LogLevel     slog.Level    `env:"LOG_LEVEL" envDefault:"info"`
	Profiling    bool          `env:"PPROF"`   // in the lab only
	Standby      bool          `env:"STANDBY"` // serve requests, and do nothing else
	DatabaseURL  string        `env:"DATABASE_URL,required,notEmpty"`
	PoolSize     int32         `env:"POOL_SIZE" envDefault:"16"`
	MailFrom     string        `env:"MAIL_FROM" envDefault:"shop@banyan.example"`
	SweepAfter   time.Duration `env:"SWEEP_AFTER" envDefault:"5s"`    // longer than a checkout may take
	SessionCache time.Duration `env:"SESSION_CACHE" envDefault:"30s"` // 0 to ask the database each time
	MaxRequests  uint          `env:"MAX_REQUESTS" envDefault:"2048"` // inside at once, whatever the door finds; more are told to come back. 0 for no limit
	Extracted    []string      `env:"EXTRACTED"`                      // the areas that have left, in order, separated by commas

	SMTPAddr     string `env:"SMTP_ADDR"`
	ProcessorURL string `env:"PROCESSOR_URL"`
	ProcessorKey string `env:"PROCESSOR_KEY"`
	NATSURL      string `env:"NATS_URL"`
	SigningKeys  string `env:"SIGNING_KEYS"` // the first signs user tokens, all are published
	Callers      string `env:"CALLERS"`      // who may exchange tokens, by public key
	AccountsURL  string `env:"ACCOUNTS_URL"` // publishes the keys that sign user tokens
	ServiceKey   string `env:"SERVICE_KEY"`  // signs the calls to the neighbours, in the name of orders
	InventoryURL string `env:"INVENTORY_URL"`
	PaymentsURL  string `env:"PAYMENTS_URL"`
	ShippingURL  string `env:"SHIPPING_URL"`
}

// leaving are the areas in the order in which they leave the monolith.
var leaving = []string{"notifications", "accounts", "catalog", "inventory", "payments", "shipping"}

// far says whether an area has become a service.
func (c Config) far(area string) bool { return slices.Contains(c.Extracted, area) }

// readConfig reads and checks all of it, and names everything that is missing in one error.
func readConfig(environ []string) (Config, error) {
	cfg, err := process.Config[Config](environ)
	if err != nil {
		return cfg, err
	}
	if n := len(cfg.Extracted); n > len(leaving) || !slices.Equal(cfg.Extracted, leaving[:n]) {
		return cfg, fmt.Errorf("EXTRACTED is %q: the areas leave one after the other, so it has to be the beginning of %s",
			strings.Join(cfg.Extracted, ","), strings.Join(leaving, ","))
	}
	var missing []string
	for _, v := range cfg.needs() {
		if v.value == "" {
			missing = append(missing, fmt.Sprintf("  %s is required while %s", v.name, v.while))
		}
	}
	if len(missing) > 0 {
		return cfg, fmt.Errorf("the environment is not complete:\n%s", strings.Join(missing, "\n"))
	}
	return cfg, nil
}

type variable struct{ name, value, while string }

// needs are the variables that depend on what has left.
func (c Config) needs() []variable {
	var all []variable
	need := func(really bool, while string, variables ...variable) {
		for _, v := range variables {
			if really {
				v.while = while
				all = append(all, v)
			}
		}
	}
	need(!c.far("notifications"), "notifications is in this process", variable{name: "SMTP_ADDR", value: c.SMTPAddr})
	need(!c.far("payments"), "payments is in this process",
		variable{name: "PROCESSOR_URL", value: c.ProcessorURL}, variable{name: "PROCESSOR_KEY", value: c.ProcessorKey})
	need(c.far("notifications"), "notifications is a service", variable{name: "NATS_URL", value: c.NATSURL})
	need(c.far("notifications") && !c.far("accounts"), "notifications is a service and accounts is not",
		variable{name: "SIGNING_KEYS", value: c.SigningKeys}, variable{name: "CALLERS", value: c.Callers})
	need(c.far("accounts"), "accounts is a service", variable{name: "ACCOUNTS_URL", value: c.AccountsURL})
	need(c.far("inventory"), "inventory is a service",
		variable{name: "INVENTORY_URL", value: c.InventoryURL}, variable{name: "SERVICE_KEY", value: c.ServiceKey})
	need(c.far("payments"), "payments is a service", variable{name: "PAYMENTS_URL", value: c.PaymentsURL})
	need(c.far("shipping"), "shipping is a service", variable{name: "SHIPPING_URL", value: c.ShippingURL})
	return all
}

// owned is, of each area, the table that only its owner inserts into.
var owned = map[string]string{
	"notifications": "notifications", "accounts": "accounts", "catalog": "books", "inventory": "deliveries",
	"payments": "payments", "shipping": "shipments", "orders": "orders",
}

// checkOwnership refuses to start where an area that should be in this process has been handed over: the right to
// write its table is the ownership. It names the first that has left: the others can be added only after it. What
// stands by need not own anything.
func (c Config) checkOwnership(ctx context.Context, pool *pgxpool.Pool) error {
	if c.Standby {
		return nil
	}
	for _, area := range leaving {
		if c.far(area) {
			continue
		}
		err := postgres.CheckOwner(ctx, pool, owned[area])
		if errors.Is(err, postgres.ErrNotOwner) {
			return fmt.Errorf("%s was handed over: add it to EXTRACTED: %w", area, err)
		}
		if err != nil {
			return err
		}
	}
	err := postgres.CheckOwner(ctx, pool, owned["orders"])
	if errors.Is(err, postgres.ErrNotOwner) {
		return fmt.Errorf("orders was handed over, and nothing is left for the monolith to do: %w", err)
	}
	return err
}

package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	"banyan/internal/process"
	"banyan/internal/token"
	"banyan/monolith/accounts"
	"banyan/monolith/catalog"
	"banyan/monolith/inventory"
	"banyan/monolith/notifications"
	"banyan/monolith/orders"
	"banyan/monolith/payments"
	"banyan/monolith/shipping"
)

// modules are the areas in this process, and the seams between them. An area that
// has left is nil.
type modules struct {
	mail    *notifications.Service
	members *accounts.Service
	books   *catalog.Service
	stock   *inventory.Service
	money   *payments.Service
	parcels *shipping.Service
	sales   *orders.Service

	authenticate func(*http.Request) (token.Identity, error)
	admitGateway func(*http.Request) error // nil while nobody wants signed tokens
}

// assemble makes the modules and joins each to its neighbours: to the module beside
// it, or to the service that the neighbour has become. wake is called after a commit
// that has something to publish.
//
// An interface is set only where its module is there: a nil module in it would not
// be a nil interface.
func assemble(cfg Config, pool *pgxpool.Pool, wake func(), log *slog.Logger) (*modules, error) {
	m := &modules{}
	near, far := orders.Near{}, orders.Far{}
	var welcome accounts.Mail
	fulfilment := orders.Fulfilment{}
	var tellMail, tellCatalog func() // nil: they need not be told
	if cfg.far("notifications") {
		tellMail = wake
	} else {
		mailer, err := notifications.NewMailer(cfg.SMTPAddr, cfg.MailFrom)
		if err != nil {
			return nil, err
		}
		m.mail = notifications.New(pool, mailer)
		near.Mail, welcome, fulfilment.Mail = m.mail, m.mail, m.mail
	}

	if err := m.identify(cfg, pool, welcome, wake, log); err != nil {
		return nil, err
	}

	if cfg.far("catalog") {
		tellCatalog = wake
	} else {
		m.books = catalog.New(pool)
	}

	var caller *token.Caller // as orders, the name that the neighbours admit
	if cfg.far("inventory") {
		key, err := token.ParseSigningKey(cfg.ServiceKey)
		if err != nil {
			return nil, fmt.Errorf("read SERVICE_KEY: %w", err)
		}
		caller = token.NewCaller("orders", key)
		far.Stock = orders.RemoteInventory(cfg.InventoryURL, caller)
	} else {
		m.stock = inventory.New(pool, tellCatalog)
		near.Stock = m.stock
	}

	if cfg.far("payments") {
		far.Payments = orders.RemotePayments(cfg.PaymentsURL, caller)
	} else {
		m.money = payments.New(pool, payments.NewProcessor(cfg.ProcessorURL, cfg.ProcessorKey))
		near.Payments, near.Recovery, near.Refunds = m.money, m.money, m.money
	}

	if cfg.far("shipping") {
		far.Shipments = orders.RemoteShipping(cfg.ShippingURL, caller)
	} else {
		m.parcels = shipping.New(pool, tellMail, fulfilment)
		near.Shipments = m.parcels
	}

	m.sales = orders.New(pool, wake, near, far, cfg.SweepAfter)
	return m, nil
}

// identify makes what tells customers apart: accounts, or, once accounts is a service,
// the verifier of the tokens that it signs.
func (m *modules) identify(cfg Config, pool *pgxpool.Pool, welcome accounts.Mail, wake func(), log *slog.Logger) error {
	if cfg.far("accounts") {
		users := token.NewVerifier(token.VerifierConfig{Issuer: "accounts", IssuerURL: cfg.AccountsURL, Log: log})
		m.authenticate = users.Authenticate
		return nil
	}
	var outside accounts.Far
	if cfg.far("notifications") { // which takes signed tokens only
		keys, err := token.ParseSigningKeys(cfg.SigningKeys)
		if err != nil {
			return fmt.Errorf("read SIGNING_KEYS: %w", err)
		}
		callers, err := token.ParseCallers(cfg.Callers)
		if err != nil {
			return fmt.Errorf("read CALLERS: %w", err)
		}
		outside = accounts.Far{Wake: wake, Signer: token.NewSigner("accounts", keys)}
		m.admitGateway = token.NewAdmission("accounts", callers).Require("gateway")
	}
	m.members = accounts.New(pool, welcome, outside, cfg.SessionCache)
	m.authenticate = m.members.Authenticate
	return nil
}

// work starts what runs beside the requests.
func (m *modules) work(app *process.App, log *slog.Logger) {
	if m.members != nil {
		app.Work("sessions", func(ctx context.Context) error { return m.members.Run(ctx, log) })
	}
	app.Work("sweeper", func(ctx context.Context) error { return m.sales.Run(ctx, log) })
	if m.money != nil {
		app.Work("refunds", func(ctx context.Context) error { return m.money.Run(ctx, log) })
	}
	if m.mail != nil {
		app.Work("mail", func(ctx context.Context) error { return m.mail.Run(ctx, log) })
	}
}

// areaOf is the area that an event belongs to, whose name its subject carries
// wherever the area is: its type begins with what it is about.
func areaOf(eventType string) string {
	about, _, _ := strings.Cut(eventType, ".")
	switch about {
	case "account":
		return "accounts"
	case "book": // of a service that was rolled back, as those of payments
		return "catalog"
	case "payment":
		return "payments"
	case "shipment":
		return "shipping"
	case "stock":
		return "inventory"
	}
	return "orders"
}

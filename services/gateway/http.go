package main

import (
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"banyan/docs/api"
	"banyan/internal/telemetry"
	"banyan/internal/web"
	"banyan/internal/web/apidocs"
)

// gateway is what one request meets on its way.
type gateway struct {
	table      atomic.Pointer[table]
	clients    *clients
	identities *identities
	proxy      *proxy
	door       *web.Door // nil keeps nobody out
	gate       *gate
	bearer     func() (string, error) // nil: the gateway has no key, and nobody exchanges tokens for it

	replacing sync.Mutex
	replaced  atomic.Int64 // tables, after the first

	shadow  atomic.Pointer[shadow] // nil: nothing is compared
	shadows shadowCounts           // of all comparisons
}

func newGateway(cfg Config, bearer func() (string, error), log *slog.Logger) *gateway {
	g := &gateway{
		clients:    newClients(cfg.RateLimit),
		identities: newIdentities(time.Duration(cfg.TokenCache)),
		proxy:      newProxy(log),
		door:       web.NewDoor(cfg.MaxRequests),
		bearer:     bearer,
	}
	g.gate = newGate(&g.table, g.clients, g.door)
	return g
}

// handler serves the gateway's own pages, and everything else from upstream.
func (g *gateway) handler(log *slog.Logger, metrics *telemetry.Requests) http.Handler {
	// The proxy has limits of its own: how long an answer takes depends on its reader.
	e := web.New(web.Options{Log: log, Metrics: metrics, Timeout: -1, MaxBody: maxBody})
	problem := e.HTTPErrorHandler
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		if !c.Response().Committed && writeHopProblem(c.Response(), err) {
			return
		}
		problem(err, c)
	}
	e.Use(g.limit, g.forward)
	apidocs.Register(e, "Banyan bookstore", api.OpenAPI)
	g.gate.guarded, g.gate.reserved = g.door.Guard(e), e
	return g.gate
}

func (g *gateway) limit(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if v := visitOf(r.Context()); v != nil {
			if v.refused != nil {
				return v.refused
			}
			return next(c)
		}
		if err := g.clients.admit(r.RemoteAddr); err != nil {
			return err
		}
		return next(c)
	}
}

// routedPath is the path as the upstream's router will see it.
func routedPath(r *http.Request) string { return echo.GetPath(r) }

// forward takes every request that a route matches; the others are for the gateway's
// own pages, or for nobody.
func (g *gateway) forward(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		table := g.table.Load()
		route := table.match(routedPath(r))
		if route == nil {
			return next(c)
		}
		c.SetPath(route.Prefix) // names the route in metrics and logs

		credentials, err := g.identities.credentials(r, route, table.exchange)
		if err != nil {
			return err
		}
		h := &hop{route: route, authorization: credentials, requestID: c.Response().Header().Get(echo.HeaderXRequestID)}
		if route.Token == tokenPass && endsSession(r) {
			h.onSuccess = func() { g.identities.end(r) }
		}
		shadow := g.shadow.Load()
		if !shadow.wants(r, route) {
			return g.proxy.forward(c.Response(), r, h)
		}
		answer := &copied{ResponseWriter: c.Response()}
		err = g.proxy.forward(answer, r, h)
		if err == nil {
			shadow.offer(r, h.requestID, answer)
		}
		return err
	}
}

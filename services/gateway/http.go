package main

import (
	"log/slog"
	"net/http"
	"sync/atomic"

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
	return g.door.Guard(e)
}

func (g *gateway) limit(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := g.clients.admit(c.Request().RemoteAddr); err != nil {
			return err
		}
		return next(c)
	}
}

// forward takes every request that a route matches; the others are for the gateway's
// own pages, or for nobody.
func (g *gateway) forward(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		path := echo.GetPath(r) // the path as the upstream's router will see it
		route := g.table.Load().match(path)
		if route == nil {
			return next(c)
		}
		c.SetPath(route.Prefix) // names the route in metrics and logs

		credentials, err := g.identities.credentials(r, route)
		if err != nil {
			return err
		}
		h := &hop{route: route, authorization: credentials, requestID: c.Response().Header().Get(echo.HeaderXRequestID)}
		if route.Token == tokenPass && endsSession(r) {
			h.onSuccess = func() { g.identities.end(r) }
		}
		return g.proxy.forward(c.Response(), r, h)
	}
}

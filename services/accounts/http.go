package main

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"banyan/internal/token"
	"banyan/internal/web"
)

// Register adds the routes of accounts and sessions, the one that only the
// gateway may use, and the public keys for everybody who checks its tokens.
func Register(g *echo.Group, s *Service, signedIn, fromGateway echo.MiddlewareFunc) {
	h := &handler{accounts: s}
	g.POST("/v1/accounts", h.create)
	g.GET("/v1/accounts/me", h.me, signedIn)
	g.POST("/v1/sessions", h.login)
	g.DELETE("/v1/sessions/current", h.logout, signedIn)
	g.POST("/internal/v1/sessions/exchange", h.exchange, fromGateway)
	g.GET(token.KeysPath, h.keys)
}

type handler struct {
	accounts *Service
}

func (h *handler) create(c echo.Context) error {
	var req Registration
	if err := web.Bind(c, &req); err != nil {
		return err
	}
	a, err := h.accounts.Create(c.Request().Context(), req)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, a)
}

func (h *handler) me(c echo.Context) error {
	a, err := h.accounts.Account(c.Request().Context(), web.Identity(c).Subject)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, a)
}

func (h *handler) login(c echo.Context) error {
	var req Credentials
	if err := web.Bind(c, &req); err != nil {
		return err
	}
	// Behind a gateway all connections are the gateway's, and its header tells clients
	// apart. Without one a client may write there what it likes, and gains little.
	from := c.RealIP() + " " + c.Request().Header.Get(echo.HeaderXForwardedFor)
	session, err := h.accounts.Login(c.Request().Context(), req, from)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, session)
}

func (h *handler) logout(c echo.Context) error {
	raw, ok := token.Bearer(c.Request().Header)
	if !ok {
		return token.ErrUnauthenticated
	}
	if err := h.accounts.Logout(c.Request().Context(), raw); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

func (h *handler) exchange(c echo.Context) error {
	var req struct {
		Token string `json:"token" text:"verbatim"`
	}
	if err := web.Bind(c, &req); err != nil {
		return err
	}
	signed, err := h.accounts.Exchange(c.Request().Context(), req.Token)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, signed)
}

// keys may be kept for a minute on the way. A rotation of keys waits longer.
func (h *handler) keys(c echo.Context) error {
	c.Response().Header().Set(echo.HeaderCacheControl, "public, max-age=60")
	return c.Blob(http.StatusOK, "application/jwk-set+json", h.accounts.signer.JWKS())
}

package main

import (
	"net/http"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"banyan/internal/web"
)

// Register adds the routes of notifications.
func Register(g *echo.Group, s *Service, signedIn echo.MiddlewareFunc) {
	h := &handler{notifications: s}
	g.GET("/v1/notifications", h.list, signedIn)
}

type handler struct {
	notifications *Service
}

func (h *handler) list(c echo.Context) error {
	limit, err := web.Limit(c)
	if err != nil {
		return err
	}
	before := uuid.Max
	if _, err := web.Cursor(c, "notifications", &before); err != nil {
		return err
	}
	messages, err := h.notifications.Messages(c.Request().Context(), web.Identity(c).Subject, before, limit)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, web.Page("notifications", messages, limit, func(last Message) any { return last.ID }))
}

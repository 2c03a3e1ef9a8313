package shipping

import (
	"net/http"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"banyan/internal/web"
)

// Register adds the routes of shipments.
func Register(g *echo.Group, s *Service, signedIn echo.MiddlewareFunc) {
	h := &handler{s}
	g.GET("/v1/shipments", h.list, signedIn)
	g.POST("/v1/shipments/:id/dispatch", h.dispatch, signedIn, web.Only("staff"))
}

type handler struct{ shipping *Service }

func (h *handler) list(c echo.Context) error {
	limit, err := web.Limit(c)
	if err != nil {
		return err
	}
	orderID, err := web.QueryID(c, "order_id")
	if err != nil {
		return err
	}
	before := uuid.Max
	if _, err := web.Cursor(c, "shipments", &before); err != nil {
		return err
	}
	shipments, err := h.shipping.Shipments(c.Request().Context(), web.Identity(c).Subject, orderID, limit, before)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, web.Page("shipments", shipments, limit, func(last Shipment) any { return last.ID }))
}

func (h *handler) dispatch(c echo.Context) error {
	id, err := web.PathID(c, "id")
	if err != nil {
		return err
	}
	shipment, err := h.shipping.Dispatch(c.Request().Context(), id)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, shipment)
}

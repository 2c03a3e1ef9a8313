package main

import (
	"net/http"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"banyan/internal/fault"
	"banyan/internal/web"
)

// Register adds the routes of shipments, and the one that only orders may use.
func Register(g *echo.Group, s *Service, signedIn, fromOrders echo.MiddlewareFunc) {
	h := &handler{s}
	g.GET("/v1/shipments", h.list, signedIn)
	g.POST("/v1/shipments/:id/dispatch", h.dispatch, signedIn, web.Only("staff"))
	g.POST("/internal/v1/shipments/:order_id/cancel", h.cancel, fromOrders)
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

// cancelRequest says whose order it was, in case shipping has not heard of it.
type cancelRequest struct {
	AccountID uuid.UUID `json:"account_id"`
}

// Validate names everything about the request that is not acceptable.
func (r cancelRequest) Validate() error {
	var c fault.Checks
	c.That(r.AccountID != uuid.Nil, "account_id", "must be given")
	return c.Err()
}

func (h *handler) cancel(c echo.Context) error {
	orderID, err := web.PathID(c, "order_id")
	if err != nil {
		return err
	}
	var req cancelRequest
	if err := web.Bind(c, &req); err != nil {
		return err
	}
	if err := h.shipping.Cancel(c.Request().Context(), orderID, req.AccountID); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, struct {
		OrderID uuid.UUID `json:"order_id"`
		Status  string    `json:"status"`
	}{orderID, Cancelled})
}

package payments

import (
	"net/http"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"banyan/internal/web"
)

// Register adds the routes of payments.
func Register(g *echo.Group, s *Service, signedIn echo.MiddlewareFunc) {
	h := &handler{s}
	g.GET("/v1/payments", h.list, signedIn)
}

type handler struct{ payments *Service }

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
	if _, err := web.Cursor(c, "payments", &before); err != nil {
		return err
	}
	payments, err := h.payments.Payments(c.Request().Context(), web.Identity(c).Subject, orderID, limit, before)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, web.Page("payments", payments, limit, func(last Payment) any { return last.ID }))
}

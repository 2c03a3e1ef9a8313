package inventory

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"banyan/internal/idempotency"
	"banyan/internal/web"
)

// Register adds the routes of the stock.
func Register(g *echo.Group, s *Service, signedIn echo.MiddlewareFunc) {
	h := &handler{s}
	staff := web.Only("staff")
	g.GET("/v1/stock/:book_id", h.show, signedIn, staff)
	g.POST("/v1/stock/:book_id/deliveries", h.deliver, signedIn, staff)
}

type handler struct{ inventory *Service }

func (h *handler) show(c echo.Context) error {
	bookID, err := web.PathID(c, "book_id")
	if err != nil {
		return err
	}
	stock, err := h.inventory.Stock(c.Request().Context(), bookID)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, stock)
}

func (h *handler) deliver(c echo.Context) error {
	bookID, err := web.PathID(c, "book_id")
	if err != nil {
		return err
	}
	body, err := web.Body(c)
	if err != nil {
		return err
	}
	key, err := idempotency.FromRequest(c.Request(), web.Identity(c).Subject, body)
	if err != nil {
		return err
	}
	var req struct {
		Quantity int `json:"quantity"`
	}
	if err := web.Bind(c, &req); err != nil {
		return err
	}
	answer, err := h.inventory.Deliver(c.Request().Context(), key, bookID, req.Quantity)
	if err != nil {
		return err
	}
	return web.Replay(c, answer.Status, answer.Location, answer.ContentType, answer.Body)
}

package main

import (
	"bytes"
	"net/http"
	"slices"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"banyan/internal/fault"
	"banyan/internal/idempotency"
	"banyan/internal/web"
)

// Register adds the routes of the stock, and the one that only orders may use.
func Register(g *echo.Group, s *Service, signedIn, fromOrders echo.MiddlewareFunc) {
	h := &handler{s}
	staff := web.Only("staff")
	g.GET("/v1/stock/:book_id", h.show, signedIn, staff)
	g.POST("/v1/stock/:book_id/deliveries", h.deliver, signedIn, staff)
	g.POST("/internal/v1/reservations", h.reserve, fromOrders)
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

// reservationRequest is what an order wants to be promised.
type reservationRequest struct {
	OrderID uuid.UUID `json:"order_id"`
	Items   []item    `json:"items"`
}

type item struct {
	BookID   uuid.UUID `json:"book_id"`
	Quantity int       `json:"quantity"`
}

// maxItems is how many titles a cart holds.
const maxItems = 100

// Validate names everything about the request that is not acceptable.
func (r reservationRequest) Validate() error {
	var c fault.Checks
	c.That(r.OrderID != uuid.Nil, "order_id", "must be given")
	c.That(len(r.Items) >= 1 && len(r.Items) <= maxItems, "items", "must be 1 to 100 books")
	seen := map[uuid.UUID]bool{}
	for _, i := range r.Items {
		c.That(i.BookID != uuid.Nil && !seen[i.BookID], "items.book_id", "must be given, and each only once")
		c.That(i.Quantity >= 1 && i.Quantity <= maxDelivery, "items.quantity", "must be 1 to 1000000")
		seen[i.BookID] = true
	}
	return c.Err()
}

func (h *handler) reserve(c echo.Context) error {
	var req reservationRequest
	if err := web.Bind(c, &req); err != nil {
		return err
	}
	books, quantities := make([]uuid.UUID, len(req.Items)), make([]int, len(req.Items))
	slices.SortFunc(req.Items, func(a, b item) int { return bytes.Compare(a.BookID[:], b.BookID[:]) })
	for n, i := range req.Items {
		books[n], quantities[n] = i.BookID, i.Quantity
	}
	if err := h.inventory.Reserve(c.Request().Context(), req.OrderID, books, quantities); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, struct {
		OrderID uuid.UUID `json:"order_id"`
		Status  string    `json:"status"`
	}{req.OrderID, Reserved})
}

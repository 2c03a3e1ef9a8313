package orders

import (
	"context"
	"net/http"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"banyan/internal/fault"
	"banyan/internal/idempotency"
	"banyan/internal/web"
)

// Register adds the routes of carts and orders.
func Register(g *echo.Group, s *Service, signedIn echo.MiddlewareFunc) {
	h := &handler{s}
	g.GET("/v1/cart", h.showCart, signedIn)
	g.PUT("/v1/cart/items/:book_id", h.putInCart, signedIn)
	g.DELETE("/v1/cart/items/:book_id", h.takeFromCart, signedIn)
	g.POST("/v1/orders", h.checkout, signedIn)
	g.GET("/v1/orders", h.list, signedIn)
	g.GET("/v1/orders/:id", h.show, signedIn)
	g.POST("/v1/orders/:id/cancel", h.cancel, signedIn)
}

type handler struct{ orders *Service }

func (h *handler) showCart(c echo.Context) error {
	cart, err := h.orders.Cart(c.Request().Context(), web.Identity(c).Subject)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, cart)
}

func (h *handler) putInCart(c echo.Context) error {
	bookID, err := web.PathID(c, "book_id")
	if err != nil {
		return err
	}
	var req struct {
		Quantity int `json:"quantity"`
	}
	if err := web.Bind(c, &req); err != nil {
		return err
	}
	cart, err := h.orders.PutInCart(c.Request().Context(), web.Identity(c).Subject, bookID, req.Quantity)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, cart)
}

func (h *handler) takeFromCart(c echo.Context) error {
	bookID, err := web.PathID(c, "book_id")
	if err != nil {
		return err
	}
	cart, err := h.orders.TakeFromCart(c.Request().Context(), web.Identity(c).Subject, bookID)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, cart)
}

// checkoutRequest is the body of POST /v1/orders.
type checkoutRequest struct {
	Payment struct {
		Token string `json:"token" text:"verbatim"`
	} `json:"payment"`
	ShippingAddress Address `json:"shipping_address"`
}

// Validate names everything that is not acceptable.
func (r checkoutRequest) Validate() error {
	var c fault.Checks
	c.Text("payment.token", r.Payment.Token, 1, 200)
	r.ShippingAddress.check(&c)
	return c.Err()
}

func (h *handler) checkout(c echo.Context) error {
	body, err := web.Body(c)
	if err != nil {
		return err
	}
	me := web.Identity(c).Subject
	key, err := idempotency.FromRequest(c.Request(), me, body)
	if err != nil {
		return err
	}
	var req checkoutRequest
	if err := web.Bind(c, &req); err != nil {
		return err
	}
	answer, err := h.orders.Checkout(c.Request().Context(), Purchase{
		AccountID: me, Key: key, CardToken: req.Payment.Token, Address: req.ShippingAddress,
	})
	if err != nil {
		return err
	}
	return web.Replay(c, answer.Status, answer.Location, answer.ContentType, answer.Body)
}

func (h *handler) list(c echo.Context) error {
	limit, err := web.Limit(c)
	if err != nil {
		return err
	}
	after := fromTheStart
	if _, err := web.Cursor(c, "orders", &after); err != nil {
		return err
	}
	orders, err := h.orders.Orders(c.Request().Context(), web.Identity(c).Subject, limit, after)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, web.Page("orders", orders, limit, func(last Order) any { return last.position() }))
}

func (h *handler) show(c echo.Context) error {
	return h.one(c, h.orders.Order)
}

func (h *handler) cancel(c echo.Context) error {
	return h.one(c, h.orders.Cancel)
}

// one answers with one order of the customer's.
func (h *handler) one(c echo.Context, find func(ctx context.Context, accountID, id uuid.UUID) (Order, error)) error {
	id, err := web.PathID(c, "id")
	if err != nil {
		return err
	}
	o, err := find(c.Request().Context(), web.Identity(c).Subject, id)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, o)
}

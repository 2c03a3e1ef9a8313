package main

import (
	"net/http"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"banyan/internal/fault"
	"banyan/internal/money"
	"banyan/internal/web"
)

// Register adds the routes of payments, and the one that only orders may use.
func Register(g *echo.Group, s *Service, signedIn, fromOrders echo.MiddlewareFunc) {
	h := &handler{s}
	g.GET("/v1/payments", h.list, signedIn)
	g.POST("/internal/v1/charges", h.charge, fromOrders)
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

// chargeRequest is what an order is to be paid with.
type chargeRequest struct {
	OrderID   uuid.UUID   `json:"order_id"`
	AccountID uuid.UUID   `json:"account_id"`
	Amount    money.Money `json:"amount"`
	CardToken string      `json:"card_token" text:"verbatim"`
}

// Validate names everything about the request that is not acceptable.
func (r chargeRequest) Validate() error {
	var c fault.Checks
	c.That(r.OrderID != uuid.Nil, "order_id", "must be given")
	c.That(r.AccountID != uuid.Nil, "account_id", "must be given")
	c.That(r.Amount.Currency == "USD", "amount.currency", "must be USD")
	c.That(r.Amount.Amount >= 1, "amount.amount", "must be 1 cent or more")
	c.That(r.CardToken != "", "card_token", "must be given")
	return c.Err()
}

func (h *handler) charge(c echo.Context) error {
	var req chargeRequest
	if err := web.Bind(c, &req); err != nil {
		return err
	}
	captured, err := h.payments.Pay(c.Request().Context(), req.OrderID, req.AccountID, req.Amount.Amount, req.CardToken)
	if err != nil {
		return err
	}
	status := Declined
	if captured {
		status = Captured
	}
	return c.JSON(http.StatusOK, struct {
		Status string `json:"status"`
	}{status})
}

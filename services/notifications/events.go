package main

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"banyan/internal/events"
	"banyan/internal/fault"
	"banyan/internal/money"
)

// ErrNoContact says that account.registered has not come yet. It makes the
// consumer try again until it has.
var ErrNoContact = fault.New(fault.NotFound, "no-contact", "The address of this account is not known yet.")

// Consume gives the consumer its handlers. Each queues one mail in the
// transaction that marks its event as handled, so that the mail exists exactly if
// the event does not come again. The consumer wakes the worker after the commit.
func (s *Service) Consume(c *events.Consumer) {
	events.OnQueued(c, "account.registered", s.accountRegistered)
	events.OnQueued(c, "order.paid", s.orderPaid)
	events.OnQueued(c, "shipment.dispatched", s.shipmentDispatched)
	events.OnQueued(c, "order.cancelled", s.orderCancelled)
}

// accountData declares what notifications keeps of an account.
type accountData struct {
	AccountID uuid.UUID `json:"account_id"`
	Email     string    `json:"email"`
	Name      string    `json:"name"`
}

// accountRegistered keeps the address and queues the mail to a new customer.
func (s *Service) accountRegistered(_ context.Context, b *pgx.Batch, _ events.Event, account accountData) error {
	insertContact(b, account.AccountID, account.Email, account.Name)
	m := welcome(account.Name)
	m.To = account.Email
	insertMessage(b, account.AccountID, m)
	return nil
}

// paidData declares what notifications reads of a paid order.
type paidData struct {
	OrderID   uuid.UUID   `json:"order_id"`
	AccountID uuid.UUID   `json:"account_id"`
	Total     money.Money `json:"total"`
}

// orderPaid queues the mail that an order is paid.
func (s *Service) orderPaid(_ context.Context, b *pgx.Batch, _ events.Event, order paidData) error {
	insertOrderMessage(b, order.OrderID, order.AccountID, receipt(order.OrderID, order.Total))
	return nil
}

// shipmentData declares what notifications reads of a shipment.
type shipmentData struct {
	OrderID   uuid.UUID `json:"order_id"`
	AccountID uuid.UUID `json:"account_id"`
}

// shipmentDispatched queues the mail that an order is on its way.
func (s *Service) shipmentDispatched(_ context.Context, b *pgx.Batch, _ events.Event, shipment shipmentData) error {
	insertOrderMessage(b, shipment.OrderID, shipment.AccountID, shipped(shipment.OrderID))
	return nil
}

// cancelledData declares what notifications reads of a cancelled order.
type cancelledData struct {
	OrderID      uuid.UUID `json:"order_id"`
	AccountID    uuid.UUID `json:"account_id"`
	Reason       string    `json:"reason"` // customer, sold_out, declined or refused
	CustomerTold bool      `json:"customer_told"`
}

// orderCancelled queues the mail that an order is cancelled, unless its customer
// was told when they tried to buy.
func (s *Service) orderCancelled(_ context.Context, b *pgx.Batch, _ events.Event, order cancelledData) error {
	if !order.CustomerTold {
		insertOrderMessage(b, order.OrderID, order.AccountID, cancelled(order.OrderID, order.Reason))
	}
	return nil
}

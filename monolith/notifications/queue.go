package notifications

import (
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"banyan/internal/money"
)

// Each of these queues one insert on the caller's batch, so that the mail exists
// exactly if what it reports does. The inserts are plain: an effect that is
// reported a second time violates a unique index, and stops the batch. The worker
// is woken when the insert has succeeded.

// QueueWelcome queues the mail to a new customer.
func (s *Service) QueueWelcome(b *pgx.Batch, accountID uuid.UUID, email, name string) {
	m := welcome(name)
	m.To = email
	insertMessage(b, accountID, m).Exec(s.inserted)
}

// QueueReceipt queues the mail that an order is paid, in US cents.
func (s *Service) QueueReceipt(b *pgx.Batch, orderID, accountID uuid.UUID, cents int64) {
	insertOrderMessage(b, orderID, accountID, receipt(orderID, money.USD(cents))).Exec(s.inserted)
}

// QueueShipped queues the mail that an order is on its way.
func (s *Service) QueueShipped(b *pgx.Batch, orderID, accountID uuid.UUID) {
	insertOrderMessage(b, orderID, accountID, shipped(orderID)).Exec(s.inserted)
}

// QueueCancelled queues the mail that an order is cancelled, for the reason that
// the order gives: customer, sold_out, declined or refused.
func (s *Service) QueueCancelled(b *pgx.Batch, orderID, accountID uuid.UUID, reason string) {
	insertOrderMessage(b, orderID, accountID, cancelled(orderID, reason)).Exec(s.inserted)
}

// inserted runs in the caller's batch, when the statement's result is read.
func (s *Service) inserted(pgconn.CommandTag) error {
	s.Wake()
	return nil
}

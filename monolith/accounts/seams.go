package accounts

import (
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Mail writes to the customers.
type Mail interface {
	// QueueWelcome queues the statement that makes the mail, so that there is
	// one exactly if there is an account.
	QueueWelcome(b *pgx.Batch, accountID uuid.UUID, email, name string)
}

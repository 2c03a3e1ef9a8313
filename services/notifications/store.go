package main

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"banyan/internal/events"
	"banyan/internal/postgres"
)

// What every statement that reads messages selects.
const messageColumns = `n.id, n.kind, n.to_address as "to", n.subject, n.body, n.status, n.created_at, n.sent_at`

func insertContact(b *pgx.Batch, accountID uuid.UUID, email, name string) {
	b.Queue(`
		insert into contacts (account_id, email, name) values ($1, $2, $3)
		on conflict (account_id) do nothing`, accountID, email, name)
}

// insertMessage changes nothing if there is this message already. To raise would
// bring back the event that reports it a second time, for ever.
func insertMessage(b *pgx.Batch, accountID uuid.UUID, m Message) {
	b.Queue(`
		insert into notifications (id, account_id, kind, to_address, subject, body)
		values (@id, @account_id, @kind, @to, @subject, @body)
		on conflict do nothing`,
		pgx.NamedArgs{
			"id": m.ID, "account_id": accountID, "kind": m.Kind, "to": m.To, "subject": m.Subject, "body": m.Body,
		})
}

// insertOrderMessage takes the address from the contacts, our copy of the
// accounts. The events know the account only by its id. If the copy does not have
// it yet, the address is null, the column refuses that, and the error is
// ErrNoContact.
func insertOrderMessage(b *pgx.Batch, orderID, accountID uuid.UUID, m Message) {
	events.Explain(b.Queue(`
		insert into notifications (id, account_id, order_id, kind, to_address, subject, body)
		values (@id, @account_id, @order_id, @kind, (select email from contacts where account_id = @account_id), @subject, @body)
		on conflict do nothing`,
		pgx.NamedArgs{
			"id": m.ID, "account_id": accountID, "order_id": orderID, "kind": m.Kind, "subject": m.Subject, "body": m.Body,
		}), func(err error) error {
		if postgres.NotNullViolation(err, "notifications", "to_address") {
			return ErrNoContact
		}
		return err
	})
}

func selectMessages(ctx context.Context, q postgres.Querier, accountID, before uuid.UUID, limit int) ([]Message, error) {
	rows, err := q.Query(ctx, `
		select `+messageColumns+`
		from notifications n
		where n.account_id = @account_id and n.id < @before
		order by n.id desc
		limit @limit`,
		pgx.NamedArgs{"account_id": accountID, "before": before, "limit": limit})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Message])
}

// claimMessages takes queued messages that nobody else is sending, oldest first.
// They come back by themselves when the lease ends.
func claimMessages(ctx context.Context, q postgres.Querier, most int, lease time.Duration) ([]Message, error) {
	rows, err := q.Query(ctx, `
		with next as materialized ( -- once; a subquery might be run again for each row
			select id
			from notifications
			where status = 'queued' and (claimed_until is null or claimed_until < now())
			order by created_at
			limit @most
			for update skip locked
		)
		update notifications n
		set claimed_until = now() + @lease
		from next
		where n.id = next.id
		returning `+messageColumns,
		pgx.NamedArgs{"lease": lease, "most": most})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Message])
}

// settleMessages writes down what became of claimed messages: sent, refused by
// the mail server and to be tried again later, or left for whoever comes next.
func settleMessages(ctx context.Context, q postgres.Querier, o outcome, later time.Duration) error {
	b := &pgx.Batch{}
	if len(o.sent) > 0 {
		b.Queue(`
			update notifications
			set status = 'sent', sent_at = now(), claimed_until = null
			where id = any(@ids) and status = 'queued'`, pgx.NamedArgs{"ids": o.sent})
	}
	if len(o.refused) > 0 {
		b.Queue(`
			update notifications
			set claimed_until = now() + @later
			where id = any(@ids) and status = 'queued'`, pgx.NamedArgs{"ids": o.refused, "later": later})
	}
	if len(o.left) > 0 {
		b.Queue(`
			update notifications
			set claimed_until = null
			where id = any(@ids) and status = 'queued'`, pgx.NamedArgs{"ids": o.left})
	}
	return postgres.Exec(ctx, q, b)
}

package main

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"banyan/internal/events"
	"banyan/internal/postgres"
)

func queueInsertPayment(b *pgx.Batch, id, orderID, accountID uuid.UUID, cents int64, cardToken string) {
	b.Queue(`
		insert into payments (id, order_id, account_id, status, amount, card_token, created_at)
		values ($1, $2, $3, 'pending', $4, $5, now())
		on conflict (order_id) do nothing`, id, orderID, accountID, cents, cardToken)
}

// queueSettle and markRefunded fail the batch, and moved reports it, unless the
// payment is in the state before: its status becomes null, which the column
// refuses. So the event on the same batch is told once.
func queueSettle(b *pgx.Batch, orderID uuid.UUID, status string) {
	b.Queue(`
		update payments
		set status = case status when 'pending' then $2 end, card_token = null
		where order_id = $1`, orderID, status)
}

func moved(err error) bool { return postgres.NotNullViolation(err, "payments", "status") }

func requestRefund(ctx context.Context, q postgres.Querier, id, orderID, accountID uuid.UUID, cents int64) error {
	_, err := q.Exec(ctx, `
		insert into payments (id, order_id, account_id, status, amount, created_at)
		values ($1, $2, $3, 'void', $4, now())
		on conflict (order_id) do update
		set refund_requested_at = now()
		where payments.status in ('pending', 'captured') and payments.refund_requested_at is null`,
		id, orderID, accountID, cents)
	return err
}

func queueSelectCharge(b *pgx.Batch, orderID uuid.UUID, p *Payment, cardToken *string) {
	b.Queue(`
		select `+paymentColumns+`, coalesce(card_token, '')
		from payments
		where order_id = $1`, orderID).QueryRow(func(row pgx.Row) error {
		return row.Scan(&p.ID, &p.OrderID, &p.AccountID, &p.Status, &p.Amount, cardToken)
	})
}

const paymentColumns = `id, order_id, account_id, status, amount`

func selectRefundsDue(ctx context.Context, q postgres.Querier, most int) ([]Payment, error) {
	rows, err := q.Query(ctx, `
		select `+paymentColumns+`
		from payments
		where status = 'captured' and refund_requested_at is not null
		order by refund_requested_at
		limit $1`, most)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Payment])
}

// markRefunded also tells of it. It does nothing if another instance was quicker.
func markRefunded(ctx context.Context, q postgres.Querier, p Payment) error {
	var b pgx.Batch
	b.Queue(`
		update payments
		set status = case status when 'captured' then 'refunded' end
		where id = $1`, p.ID)
	events.Queue(ctx, &b, paymentRefunded, paymentEvent(p))
	if err := postgres.Exec(ctx, q, &b); !moved(err) {
		return err
	}
	return nil
}

func selectPayments(ctx context.Context, q postgres.Querier, accountID, orderID uuid.UUID, most int, before uuid.UUID) ([]Payment, error) {
	rows, err := q.Query(ctx, `
		select `+paymentColumns+`
		from payments
		where account_id = $1 and id < $2 and ($3::uuid = '00000000-0000-0000-0000-000000000000' or order_id = $3)
			and status <> 'void'
		order by id desc
		limit $4`, accountID, before, orderID, most)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Payment])
}

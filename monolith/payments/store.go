package payments

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"banyan/internal/postgres"
)

func queueInsertPayment(b *pgx.Batch, id, orderID, accountID uuid.UUID, cents int64, cardToken string) {
	b.Queue(`
		insert into payments (id, order_id, account_id, status, amount, card_token, created_at)
		values ($1, $2, $3, 'pending', $4, $5, now())`, id, orderID, accountID, cents, cardToken)
}

func queueSettle(b *pgx.Batch, orderID uuid.UUID, status string) {
	b.Queue(`
		update payments
		set status = $2, card_token = null
		where order_id = $1 and status = 'pending'`, orderID, status)
}

func queueRequestRefund(b *pgx.Batch, orderID uuid.UUID) {
	b.Queue(`
		update payments
		set refund_requested_at = now()
		where order_id = $1 and status = 'captured' and refund_requested_at is null`, orderID)
}

func selectCharge(ctx context.Context, q postgres.Querier, orderID uuid.UUID) (status string, cents int64, cardToken string, err error) {
	err = q.QueryRow(ctx, `
		select status, amount, coalesce(card_token, '')
		from payments
		where order_id = $1`, orderID).Scan(&status, &cents, &cardToken)
	return status, cents, cardToken, err
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

func markRefunded(ctx context.Context, q postgres.Querier, p Payment) error {
	_, err := q.Exec(ctx, `
		update payments
		set status = 'refunded'
		where id = $1 and status = 'captured'`, p.ID)
	return err
}

func selectPayments(ctx context.Context, q postgres.Querier, accountID, orderID uuid.UUID, most int, before uuid.UUID) ([]Payment, error) {
	rows, err := q.Query(ctx, `
		select `+paymentColumns+`
		from payments
		where account_id = $1 and id < $2 and ($3::uuid = '00000000-0000-0000-0000-000000000000' or order_id = $3)
		order by id desc
		limit $4`, accountID, before, orderID, most)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Payment])
}

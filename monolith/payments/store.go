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

func queueRefuse(b *pgx.Batch, orderID uuid.UUID) {
	b.Queue(`
		update payments
		set status = case when doubtful then status else 'declined' end, card_token = null,
			refund_requested_at = case when doubtful then now() end,
			refund_after = now() + $2::interval
		where order_id = $1 and status = 'pending'`, orderID, doubtTime)
}

func queueForget(b *pgx.Batch, orderID uuid.UUID) {
	b.Queue(`delete from payments where order_id = $1 and status = 'pending'`, orderID)
}

// queueDoubt is markDoubtful on a batch.
func queueDoubt(b *pgx.Batch, orderID uuid.UUID) {
	b.Queue(markDoubt, orderID)
}

// markDoubtful writes down that an attempt to charge was made whose outcome is unknown.
func markDoubtful(ctx context.Context, q postgres.Querier, orderID uuid.UUID) error {
	_, err := q.Exec(ctx, markDoubt, orderID)
	return err
}

const markDoubt = `
		update payments
		set doubtful = true
		where order_id = $1 and status = 'pending' and not doubtful`

func queueRequestRefund(b *pgx.Batch, orderID uuid.UUID) {
	b.Queue(`
		update payments
		set refund_requested_at = now(), refund_after = now()
		where order_id = $1 and status = 'captured' and refund_requested_at is null`, orderID)
}

func selectCharge(ctx context.Context, q postgres.Querier, orderID uuid.UUID) (p Payment, cardToken string, err error) {
	err = q.QueryRow(ctx, `
		select `+paymentColumns+`, coalesce(card_token, '')
		from payments
		where order_id = $1`, orderID).
		Scan(&p.ID, &p.OrderID, &p.AccountID, &p.Status, &p.Amount, &p.Refunding, &cardToken)
	return p, cardToken, err
}

const paymentColumns = `id, order_id, account_id, status, amount, refund_requested_at is not null as refunding`

// claimRefunds takes refunds whose turn it is and sends them to the back: unless
// they are made, they come again after as long as they have waited, at least a
// second and at most ten minutes. Two processes never take the same.
func claimRefunds(ctx context.Context, q postgres.Querier, most int) ([]Payment, error) {
	rows, err := q.Query(ctx, `
		with due as materialized (
			select id as due_id
			from payments
			where status in ('pending', 'captured') and refund_requested_at is not null and refund_after <= now()
			order by refund_after
			limit $1
			for update skip locked
		)
		update payments
		set refund_after = now() + least(greatest(now() - refund_requested_at, '1 second'), '10 minutes')
		from due
		where id = due_id
		returning `+paymentColumns, most)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Payment])
}

// returnRefunds lets refunds come again at once that were claimed and not sent.
func returnRefunds(ctx context.Context, q postgres.Querier, unsent []Payment) error {
	ids := make([]uuid.UUID, len(unsent))
	for n, p := range unsent {
		ids[n] = p.ID
	}
	_, err := q.Exec(ctx, `update payments set refund_after = now() where id = any($1)`, ids)
	return err
}

// markNeverCharged ends a payment that has nothing to be given back.
func markNeverCharged(ctx context.Context, q postgres.Querier, p Payment) error {
	_, err := q.Exec(ctx, `
		update payments
		set status = 'declined', card_token = null
		where id = $1 and status = 'pending'`, p.ID)
	return err
}

func markRefunded(ctx context.Context, q postgres.Querier, p Payment) error {
	_, err := q.Exec(ctx, `
		update payments
		set status = 'refunded', card_token = null
		where id = $1 and status in ('pending', 'captured')`, p.ID)
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

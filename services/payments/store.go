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
		on conflict (order_id) do update
		set doubtful = true
		where payments.status = 'pending'`, id, orderID, accountID, cents, cardToken)
}

// queueSettle, queueRefuse and markRefunded fail the batch, and moved reports it, unless the
// payment is in the state before: its status becomes null, which the column
// refuses. So the event on the same batch is told once.
func queueSettle(b *pgx.Batch, orderID uuid.UUID, status string) {
	b.Queue(`
		update payments
		set status = case status when 'pending' then $2 end, card_token = null, refund_after = now()
		where order_id = $1`, orderID, status)
}

// queueRefuse ends a payment that the processor refused to charge: nothing was
// charged, or, after an attempt of unknown outcome, the refund tells.
func queueRefuse(b *pgx.Batch, orderID uuid.UUID) {
	b.Queue(`
		update payments
		set status = case status when 'pending' then case when doubtful then status else 'declined' end end,
			refused = true, card_token = null,
			refund_requested_at = case when doubtful then coalesce(refund_requested_at, now()) else refund_requested_at end,
			refund_after = case when doubtful and refund_requested_at is null then now() + $2::interval else refund_after end
		where order_id = $1`, orderID, doubtTime)
}

// markDoubtful writes down that an attempt to charge was made whose outcome is unknown.
func markDoubtful(ctx context.Context, q postgres.Querier, orderID uuid.UUID) error {
	_, err := q.Exec(ctx, `
		update payments
		set doubtful = true
		where order_id = $1 and status = 'pending' and not doubtful`, orderID)
	return err
}

func moved(err error) bool { return postgres.NotNullViolation(err, "payments", "status") }

func requestRefund(ctx context.Context, q postgres.Querier, id, orderID, accountID uuid.UUID, cents int64) error {
	_, err := q.Exec(ctx, `
		insert into payments (id, order_id, account_id, status, amount, created_at)
		values ($1, $2, $3, 'void', $4, now())
		on conflict (order_id) do update
		set refund_requested_at = now(),
			refund_after = now() + case payments.status when 'pending' then $5::interval else '0' end
		where payments.status in ('pending', 'captured') and payments.refund_requested_at is null`,
		id, orderID, accountID, cents, doubtTime)
	return err
}

func queueSelectCharge(b *pgx.Batch, orderID uuid.UUID, p *Payment, cardToken *string) {
	b.Queue(`
		select `+paymentColumns+`, coalesce(card_token, '')
		from payments
		where order_id = $1`, orderID).QueryRow(func(row pgx.Row) error {
		return row.Scan(&p.ID, &p.OrderID, &p.AccountID, &p.Status, &p.Amount, &p.Refused, &p.Refunding, cardToken)
	})
}

const paymentColumns = `id, order_id, account_id, status, amount, refused, refund_requested_at is not null as refunding`

// claimRefunds takes refunds whose turn it is and sends them to the back: unless
// they are made, they come again after as long as they have waited, at least a
// second and at most ten minutes. Two instances never take the same.
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

// markRefunded also tells of it. It does nothing if another instance was quicker.
func markRefunded(ctx context.Context, q postgres.Querier, p Payment) error {
	var b pgx.Batch
	b.Queue(`
		update payments
		set status = case when status in ('pending', 'captured') then 'refunded' end, card_token = null
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

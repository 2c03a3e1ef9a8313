package orders

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"banyan/internal/fault"
	"banyan/internal/postgres"
)

// neighbours stand in for the other modules: each queues the least of its
// statements that orders relies on, and writes real rows.
type neighbours struct {
	shelf   shelf
	cashier *cashier
	depot   depot
	post    post

	t    *testing.T
	pool *pgxpool.Pool
}

func newNeighbours(t *testing.T, pool *pgxpool.Pool) *neighbours {
	bank := &bank{charges: map[uuid.UUID]string{}}
	return &neighbours{cashier: &cashier{bank, pool}, t: t, pool: pool}
}

// wire is the way to the card processor, which is outside. It delivers each call once, unless the test
// has it do otherwise.
type wire struct {
	mu  sync.Mutex
	via func(ctx context.Context, deliver func() error) error
}

func (w *wire) goes(via func(ctx context.Context, deliver func() error) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.via = via
}

func (w *wire) send(ctx context.Context, deliver func() error) error {
	w.mu.Lock()
	via := w.via
	w.mu.Unlock()
	if via == nil {
		return deliver()
	}
	return via(ctx, deliver)
}

// errLost is what a caller knows of a call without an answer.
var errLost = fault.New(fault.Unavailable, "", "Something we need is away for a moment.")

// Ways that a wire can go.
func refuses(context.Context, func() error) error { return ErrRefused }

func losesRequests(context.Context, func() error) error { return errLost }

func losesAnswers(_ context.Context, deliver func() error) error {
	_ = deliver()
	return errLost
}

func hangs(ctx context.Context, _ func() error) error {
	<-ctx.Done()
	return errLost.Because(ctx.Err())
}

// crashes takes the process down when the answer is there.
func crashes(_ context.Context, deliver func() error) error {
	_ = deliver()
	panic("the process is gone")
}

// meanwhile does something once, while the answer is on its way. What it does
// may go the same way.
func meanwhile(do func()) func(context.Context, func() error) error {
	var done atomic.Bool
	return func(_ context.Context, deliver func() error) error {
		err := deliver()
		if !done.Swap(true) {
			do()
		}
		return err
	}
}

// shelf stands in for inventory.
type shelf struct{}

func (shelf) QueueTake(_ context.Context, b *pgx.Batch, books []uuid.UUID, quantities []int) {
	for n, id := range books {
		b.Queue(`update books set stock = stock - $2 where id = $1`, id, quantities[n])
	}
}

func (shelf) QueueGiveBack(_ context.Context, b *pgx.Batch, books []uuid.UUID, quantities []int) {
	for n, id := range books {
		b.Queue(`update books set stock = stock + $2 where id = $1`, id, quantities[n])
	}
}

func (shelf) Refused(err error) bool { return postgres.CheckViolation(err, "books_stock_not_negative") }

// cashier stands in for payments.
type cashier struct {
	*bank
	pool *pgxpool.Pool
}

func (c *cashier) QueueOpen(b *pgx.Batch, orderID, accountID uuid.UUID, cents int64, cardToken string) {
	b.Queue(`
		insert into payments (id, order_id, account_id, status, amount, card_token, created_at)
		values (gen_random_uuid(), $1, $2, 'pending', $3, $4, now())`, orderID, accountID, cents, cardToken)
}

// Charge asks once. Its caller marks the payment doubtful before it asks again.
func (c *cashier) Charge(ctx context.Context, orderID uuid.UUID, _ int64, cardToken string) (captured bool, err error) {
	return c.charge(ctx, orderID, cardToken)
}

func (c *cashier) Recharge(ctx context.Context, orderID uuid.UUID) (captured bool, err error) {
	return c.recharge(ctx, orderID, c.Charge)
}

func (c *cashier) recharge(ctx context.Context, orderID uuid.UUID,
	charge func(context.Context, uuid.UUID, int64, string) (bool, error),
) (captured bool, err error) {
	_, err = c.pool.Exec(ctx, `update payments set doubtful = true where order_id = $1 and status = 'pending'`, orderID)
	if err != nil {
		return false, err
	}
	var status, cardToken string
	err = c.pool.QueryRow(ctx, `select status, coalesce(card_token, '') from payments where order_id = $1`, orderID).Scan(&status, &cardToken)
	if err != nil || status != "pending" {
		return status != "declined", err
	}
	return charge(ctx, orderID, 0, cardToken)
}

func (c *cashier) QueueSettle(b *pgx.Batch, orderID uuid.UUID, captured bool) {
	b.Queue(`
		update payments
		set status = case when $2 then 'captured' else 'declined' end, card_token = null
		where order_id = $1 and status = 'pending'`, orderID, captured)
}

func (c *cashier) QueueDoubt(b *pgx.Batch, orderID uuid.UUID) {
	b.Queue(`update payments set doubtful = true where order_id = $1 and status = 'pending'`, orderID)
}

func (c *cashier) QueueRefuse(b *pgx.Batch, orderID uuid.UUID) {
	b.Queue(`
		update payments
		set status = case when doubtful then status else 'declined' end, card_token = null,
			refund_requested_at = case when doubtful then now() end
		where order_id = $1 and status = 'pending'`, orderID)
}

func (c *cashier) QueueForget(b *pgx.Batch, orderID uuid.UUID) {
	b.Queue(`delete from payments where order_id = $1 and status = 'pending'`, orderID)
}

func (c *cashier) QueueRefund(b *pgx.Batch, orderID uuid.UUID) {
	b.Queue(`update payments set refund_requested_at = now() where order_id = $1 and status = 'captured'`, orderID)
}

// refunds gives back what is due. Nothing that was charged is on its way any more.
func (c *cashier) refunds(ctx context.Context) error {
	rows, err := c.pool.Query(ctx, `
		select order_id
		from payments
		where status in ('pending', 'captured') and refund_requested_at is not null`)
	if err != nil {
		return err
	}
	due, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return err
	}
	var b pgx.Batch
	for _, orderID := range due {
		b.Queue(`update payments set status = $2 where order_id = $1`, orderID, c.refund(orderID))
	}
	return postgres.Exec(ctx, c.pool, &b)
}

// bank stands in for the card processor, which decides once. The card says what
// becomes of the charge.
type bank struct {
	wire
	mu      sync.Mutex
	charges map[uuid.UUID]string // captured, declined or refunded, by order
}

func (k *bank) charge(ctx context.Context, orderID uuid.UUID, cardToken string) (captured bool, err error) {
	err = k.send(ctx, func() error {
		k.mu.Lock()
		defer k.mu.Unlock()
		if cardToken == "tok_refused" {
			return ErrRefused
		}
		if k.charges[orderID] == "" {
			k.charges[orderID] = "declined"
			if cardToken == "tok_visa" {
				k.charges[orderID] = "captured"
			}
		}
		captured = k.charges[orderID] != "declined"
		return nil
	})
	return captured && err == nil, err
}

// refund returns what the payment is then.
func (k *bank) refund(orderID uuid.UUID) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.charges[orderID] == "" || k.charges[orderID] == "declined" {
		return "declined"
	}
	k.charges[orderID] = "refunded"
	return "refunded"
}

// depot stands in for shipping.
type depot struct{}

func (depot) QueuePrepare(b *pgx.Batch, orderID, accountID uuid.UUID, address []byte) {
	b.Queue(`
		insert into shipments (id, order_id, account_id, status, address, created_at)
		values (gen_random_uuid(), $1, $2, 'preparing', $3, now())`, orderID, accountID, address)
}

func (depot) QueueCancel(b *pgx.Batch, orderID uuid.UUID) {
	b.Queue(`update shipments set status = case status when 'preparing' then 'cancelled' end where order_id = $1`, orderID)
}

func (depot) Dispatched(err error) bool { return postgres.NotNullViolation(err, "shipments", "status") }

// post stands in for notifications. A second mail of one kind about one order
// fails the batch.
type post struct{}

func (post) QueueReceipt(b *pgx.Batch, orderID, accountID uuid.UUID, _ int64) {
	queueMail(b, orderID, accountID, "order_paid")
}

func (post) QueueShipped(b *pgx.Batch, orderID, accountID uuid.UUID) {
	queueMail(b, orderID, accountID, "order_shipped")
}

func (post) QueueCancelled(b *pgx.Batch, orderID, accountID uuid.UUID, _ string) {
	queueMail(b, orderID, accountID, "order_cancelled")
}

func queueMail(b *pgx.Batch, orderID, accountID uuid.UUID, kind string) {
	b.Queue(`
		insert into notifications (id, account_id, order_id, kind, to_address, subject, body)
		values (gen_random_uuid(), $1, $2, $3, '', '', '')`, accountID, orderID, kind)
}

// What became of an order's neighbours' parts.

func (n *neighbours) copies(b book) (copies int) {
	n.t.Helper()
	require.NoError(n.t, n.pool.QueryRow(n.t.Context(), `select stock from books where id = $1`, b.id).Scan(&copies))
	return copies
}

func (n *neighbours) payment(orderID uuid.UUID) string {
	n.t.Helper()
	require.NoError(n.t, n.cashier.refunds(n.t.Context()))
	return n.status(`select status from payments where order_id = $1`, orderID)
}

func (n *neighbours) parcel(orderID uuid.UUID) string {
	return n.status(`select status from shipments where order_id = $1`, orderID)
}

// status is the one that there is, or none.
func (n *neighbours) status(sql string, orderID uuid.UUID) (status string) {
	n.t.Helper()
	err := n.pool.QueryRow(n.t.Context(), `select coalesce((`+sql+`), '')`, orderID).Scan(&status)
	require.NoError(n.t, err)
	return status
}

func (n *neighbours) mails(orderID uuid.UUID) []string {
	n.t.Helper()
	rows, err := n.pool.Query(n.t.Context(), `select kind from notifications where order_id = $1 order by created_at`, orderID)
	require.NoError(n.t, err)
	kinds, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(n.t, err)
	return kinds
}

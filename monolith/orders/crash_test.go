package orders

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"banyan/internal/testdb"
)

// instance is one process with the module, which can crash between any two of
// its effects: a batch or a query sent to the database, a call sent to a
// neighbour. Nothing that it does after that reaches anybody.
type instance struct {
	*Service

	mu   sync.Mutex
	left int // effects until it crashes; below zero, it never does
}

// never is how many effects an instance has that does not crash.
const never = -1

func newInstance(t *testing.T, db *testdb.DB, n *farNeighbours) *instance {
	t.Helper()
	i := &instance{left: never}
	config := db.Pool("monolith_app").Config()
	config.ConnConfig.Tracer = i
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	near, far := n.joined(crashingCashier{&cashier{n.neighbours.cashier.bank, pool}, i}, crashing{i, n})
	i.Service = New(pool, func() {}, near, far, sweepAfter)
	return i
}

// until runs work, and reports whether the instance outlived it.
func (i *instance) until(effects int, work func()) bool {
	i.mu.Lock()
	i.left = effects
	i.mu.Unlock()
	work()
	i.mu.Lock()
	defer i.mu.Unlock()
	alive := i.left != 0
	i.left = never
	return alive
}

// lives reports whether the instance has the next effect.
func (i *instance) lives() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.left > 0 {
		i.left--
		return true
	}
	return i.left == never
}

var errCrashed = errors.New("the process is gone")

// sends is ctx, or one that nothing can be sent in once the instance has crashed.
func (i *instance) sends(ctx context.Context) context.Context {
	if i.lives() {
		return ctx
	}
	gone, cancel := context.WithCancelCause(ctx)
	cancel(errCrashed)
	return gone
}

// The instance traces its own connections: it is asked before anything is sent.

func (i *instance) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return i.sends(ctx)
}
func (i *instance) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (i *instance) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}

func (i *instance) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return i.sends(ctx)
}
func (i *instance) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// crashing is an instance's way to its far neighbours.
type crashing struct {
	*instance
	to *farNeighbours
}

func (c crashing) Reserve(ctx context.Context, orderID uuid.UUID, books []uuid.UUID, quantities []int) error {
	if !c.lives() {
		return errCrashed
	}
	return c.to.Reserve(ctx, orderID, books, quantities)
}

func (c crashing) Charge(ctx context.Context, orderID, accountID uuid.UUID, cents int64, cardToken string) (bool, error) {
	if !c.lives() {
		return false, errCrashed
	}
	return c.to.Charge(ctx, orderID, accountID, cents, cardToken)
}

// Cancel hides the instance's own method: here it is shipping's.
func (c crashing) Cancel(ctx context.Context, orderID, accountID uuid.UUID) error {
	if !c.lives() {
		return errCrashed
	}
	return c.to.Cancel(ctx, orderID, accountID)
}

// crashingCashier is payments in the instance itself: what it says to the database
// is the instance's, and so is its way to the card processor.
type crashingCashier struct {
	*cashier
	in *instance
}

func (c crashingCashier) Charge(ctx context.Context, orderID uuid.UUID, cents int64, cardToken string) (captured bool, err error) {
	if !c.in.lives() {
		return false, errCrashed
	}
	return c.cashier.Charge(ctx, orderID, cents, cardToken)
}

func (c crashingCashier) Recharge(ctx context.Context, orderID uuid.UUID) (captured bool, err error) {
	return c.recharge(ctx, orderID, c.Charge)
}

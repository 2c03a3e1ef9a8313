package orders

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"banyan/internal/idempotency"
	"banyan/internal/postgres"
)

// world is the whole saga: two instances, their neighbours, near and far, the broker
// between them, and customers. Everything that goes wrong in it was drawn.
type world struct {
	*farNeighbours
	t         *rapid.T
	pool      *pgxpool.Pool
	instances []*instance

	customers []uuid.UUID
	books     []book
	stock     map[uuid.UUID]int // at the beginning
	keys      []Purchase
	answers   map[string]idempotency.Answer // by key: the first that somebody saw
	late      []func()                      // calls that everybody has given up on, still on their way
	events    []told                        // from outside: dispatches that orders has to hear of
	busy      int                           // the instance that the others are not
	nested    bool                          // whether this happens while another waits
	shaky     bool                          // whether things may go wrong
}

// TestSaga lets customers, sweepers, crashes and a bad network do what they
// want in any order, then lets everything come to rest, and looks whether the
// books balance. -rapid.checks=2000 runs it for longer than the default.
func TestSaga(t *testing.T) {
	fewer(t, 100)
	for name, step := range map[string]int{
		"stock is far":               stockIsFar,
		"stock and payments are far": paymentsAreFar,
		"all are far":                shippingIsFar,
	} {
		t.Run(name, func(t *testing.T) { saga(t, step) })
	}
}

func saga(t *testing.T, step int) {
	db := climbed(t, step)
	pool := db.Superuser() // the test's own hand
	n := newFarNeighbours(t, db.Pool("monolith_app"), step)
	instances := []*instance{newInstance(t, db, n), newInstance(t, db, n)}
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, rt, pool, n, instances)
		rt.Repeat(map[string]func(*rapid.T){
			"":                func(rt *rapid.T) { w.t = rt; w.onePending() },
			"put in cart":     func(rt *rapid.T) { w.t = rt; w.put() },
			"check out":       func(rt *rapid.T) { w.t = rt; w.checkOut() },
			"check out again": func(rt *rapid.T) { w.t = rt; w.retry() },
			"cancel":          func(rt *rapid.T) { w.t = rt; w.cancel() },
			"sweep":           func(rt *rapid.T) { w.t = rt; w.sweep() },
			"event":           func(rt *rapid.T) { w.t = rt; w.event() },
			"dispatch":        func(rt *rapid.T) { w.t = rt; w.dispatch() },
			"late call":       func(rt *rapid.T) { w.t = rt; w.lateCall() },
		})
		w.t = rt
		w.rest()
		w.balance()
	})
}

// fewer lowers rapid's number of checks for this test, unless the command line names one.
func fewer(t *testing.T, checks int) {
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "rapid.checks" })
	if asked {
		return
	}
	before := flag.Lookup("rapid.checks").Value.String()
	require.NoError(t, flag.Set("rapid.checks", fmt.Sprint(checks)))
	t.Cleanup(func() { _ = flag.Set("rapid.checks", before) })
}

func newWorld(t *testing.T, rt *rapid.T, pool *pgxpool.Pool, n *farNeighbours, instances []*instance) *world {
	var b pgx.Batch
	tables := []string{"idempotency_keys", "order_items", "orders", "cart_items", "carts", "books", "outbox"}
	if n.step < shippingIsFar {
		tables = append([]string{"shipments"}, tables...)
	}
	if n.step < paymentsAreFar {
		tables = append([]string{"payments"}, tables...)
	}
	for _, table := range tables {
		b.Queue(`delete from monolith.` + table)
	}
	w := &world{
		farNeighbours: n, t: rt, pool: n.pool, instances: instances, shaky: true,
		customers: []uuid.UUID{uuid.New(), uuid.New()},
		stock:     map[uuid.UUID]int{}, answers: map[string]idempotency.Answer{},
	}
	*n.shelf = farShelf{copies: map[uuid.UUID]int{}, reserved: map[uuid.UUID]*reservation{}}
	*n.cashier = farCashier{charges: map[uuid.UUID]*charge{}}
	*n.depot = farDepot{parcels: map[uuid.UUID]string{}}
	*n.post = farPost{mails: map[uuid.UUID][]string{}}
	*n.neighbours.cashier.bank = bank{charges: map[uuid.UUID]string{}}
	n.heard = map[uuid.UUID]bool{}
	for _, title := range []string{"Emma", "Kim"} {
		b1 := book{uuid.Must(uuid.NewV7()), title}
		b.Queue(`insert into monolith.books (id, title, price, version) values ($1, $2, 1000, 1)`, b1.id, title)
		w.books = append(w.books, b1)
		w.stock[b1.id] = rapid.IntRange(1, 6).Draw(rt, "copies of "+title)
		n.shelf.arrive(b1.id, w.stock[b1.id])
	}
	require.NoError(rt, postgres.Exec(t.Context(), pool, &b))
	n.shelf.goes(w.network)
	n.cashier.goes(w.network)
	n.depot.goes(w.network)
	n.neighbours.cashier.goes(w.processor)
	return w
}

// does runs work in one of the instances, which may crash in it, and reports
// whether there is anybody left to hear its answer. The other instance is the
// one for what happens meanwhile.
func (w *world) does(work func(ctx context.Context, s *instance)) bool {
	if !w.nested {
		w.busy = rapid.IntRange(0, 1).Draw(w.t, "instance")
	}
	s := w.instances[w.busy]
	effects := never
	if rapid.IntRange(0, 3).Draw(w.t, "crash") == 0 {
		effects = rapid.IntRange(0, 7).Draw(w.t, "effects")
	}
	return s.until(effects, func() { work(context.Background(), s) })
}

func (w *world) put() (customer uuid.UUID) {
	c := rapid.SampledFrom(w.customers).Draw(w.t, "customer")
	b := rapid.SampledFrom(w.books).Draw(w.t, "book")
	quantity := rapid.IntRange(1, 4).Draw(w.t, "quantity")
	w.does(func(ctx context.Context, s *instance) { _, _ = s.PutInCart(ctx, c, b.id, quantity) })
	return c
}

func (w *world) checkOut() {
	p := Purchase{
		AccountID: w.put(), // an empty cart is soon refused
		CardToken: rapid.SampledFrom([]string{"tok_visa", "tok_visa", "tok_declined"}).Draw(w.t, "card"),
		Address:   home,
	}
	p.Key = idempotency.Request{
		Owner: p.AccountID, Method: "POST", Path: "/v1/orders",
		Key: uuid.NewString(), Fingerprint: sha256.Sum256([]byte(p.CardToken)),
	}
	w.keys = append(w.keys, p)
	w.buy(p)
}

func (w *world) retry() {
	if len(w.keys) == 0 {
		return
	}
	recent := w.keys[max(0, len(w.keys)-3):]
	p := rapid.SampledFrom(recent).Draw(w.t, "key")
	if rapid.Bool().Draw(w.t, "the lease is over") {
		w.exec(`update idempotency_keys set claimed_at = claimed_at - interval '11 seconds' where key = $1 and status is null`, p.Key.Key)
	}
	w.buy(p)
}

// buy checks out. What somebody has seen of a key's answer never changes.
func (w *world) buy(p Purchase) {
	var answer idempotency.Answer
	var err error
	heard := w.does(func(ctx context.Context, s *instance) { answer, err = s.Checkout(ctx, p) })
	if !heard || err != nil {
		return
	}
	first, seen := w.answers[p.Key.Key]
	if !seen {
		w.answers[p.Key.Key] = answer
		return
	}
	require.Equal(w.t, first, answer, "the answer of a key changed")
}

func (w *world) cancel() {
	orders := slices.DeleteFunc(w.orders(), func(o Order) bool { return o.Status == Cancelled })
	if len(orders) == 0 {
		return
	}
	o := rapid.SampledFrom(orders).Draw(w.t, "order")
	w.does(func(ctx context.Context, s *instance) { _, _ = s.Cancel(ctx, o.AccountID, o.ID) })
}

func (w *world) sweep() {
	if rapid.Bool().Draw(w.t, "time is up") {
		w.lapse()
	}
	w.does(func(ctx context.Context, s *instance) { _ = w.sweepOneByOne(ctx, s.Service) })
}

// sweepOneByOne is sweep without its goroutines, which would draw in any order.
func (w *world) sweepOneByOne(ctx context.Context, s *Service) error {
	left, err := s.unsettled(ctx)
	for _, o := range left {
		_ = s.finish(ctx, slog.New(slog.DiscardHandler), o)
	}
	return err
}

// event delivers any event to its consumers, however often it has been, in any order.
func (w *world) event() {
	all := append(w.outbox(), w.events...)
	if len(all) == 0 {
		return
	}
	w.consume(rapid.SampledFrom(all).Draw(w.t, "event"))
}

func (w *world) consume(e told) {
	if e.Type != "shipment.dispatched" {
		w.hear(e)
		return
	}
	var data shipmentData
	require.NoError(w.t, json.Unmarshal(e.Data, &data))
	_ = pgx.BeginFunc(context.Background(), w.pool, func(tx pgx.Tx) error { // it will come again
		_, err := markShipped(context.Background(), tx, data.OrderID)
		return err
	})
}

func (w *world) dispatch() {
	for _, o := range w.orders() {
		if w.step < shippingIsFar {
			if o.Status == Paid {
				w.dispatchNear(o)
				return
			}
			continue
		}
		if w.depot.dispatch(o.ID) {
			data, _ := json.Marshal(shipmentData{o.ID})
			w.events = append(w.events, told{uuid.New(), "shipment.dispatched", data})
			return
		}
	}
}

// dispatchNear marks the order shipped in the parcel's transaction.
func (w *world) dispatchNear(o Order) {
	var b pgx.Batch
	Fulfilment{}.QueueShipped(&b, o.ID, o.AccountID)
	b.Queue(`
		update shipments
		set status = case status when 'preparing' then 'dispatched' end, tracking_number = 'BN1'
		where order_id = $1`, o.ID)
	require.NoError(w.t, postgres.Exec(context.Background(), w.pool, &b))
}

func (w *world) lateCall() {
	if len(w.late) == 0 {
		return
	}
	n := rapid.IntRange(0, len(w.late)-1).Draw(w.t, "call")
	deliver := w.late[n]
	w.late = slices.Delete(w.late, n, n+1)
	deliver()
}

// rest lets everything come to its end: nothing goes wrong any more, what was
// on its way arrives, and the sweepers run until they find nothing.
func (w *world) rest() {
	w.shaky = false
	for {
		w.lapse()
		for _, s := range w.instances {
			require.NoError(w.t, w.sweepOneByOne(context.Background(), s.Service))
		}
		late := w.late
		w.late = nil
		for _, deliver := range late {
			deliver()
		}
		if w.step < paymentsAreFar {
			require.NoError(w.t, w.neighbours.cashier.refunds(context.Background()))
		}
		before := len(w.outbox())
		for _, e := range append(w.outbox(), w.events...) {
			w.consume(e)
		}
		if w.unsettled() == 0 && len(w.outbox()) == before {
			return
		}
	}
}

func (w *world) lapse() { w.exec(lapsed) }

func (w *world) unsettled() int {
	return w.count(`select count(*) from orders where status = 'pending' or cancel_requested_at is not null`)
}

func (w *world) onePending() {
	require.Zero(w.t, w.count(`select count(*) from (
		select from orders where status = 'pending' group by account_id having count(*) > 1) o`))
}

func (w *world) orders() (all []Order) {
	ids, err := pgx.CollectRows(must(w.pool.Query(context.Background(), `select id from orders order by placed_at, id`)), pgx.RowTo[uuid.UUID])
	require.NoError(w.t, err)
	for _, id := range ids {
		o, err := selectOrder(context.Background(), w.pool, id)
		if !errors.Is(err, ErrNotFound) {
			require.NoError(w.t, err)
			all = append(all, o)
		}
	}
	return all
}

func must(rows pgx.Rows, _ error) pgx.Rows { return rows }

func (w *world) exec(sql string, args ...any) {
	_, err := w.pool.Exec(context.Background(), sql, args...)
	require.NoError(w.t, err)
}

func (w *world) count(sql string, args ...any) (n int) {
	require.NoError(w.t, w.pool.QueryRow(context.Background(), sql, args...).Scan(&n))
	return n
}

package invariants

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Tally counts what orders have brought about, and what they should have.
type Tally struct {
	Orders  int64    `json:"orders"`  // placed in the time that was asked for
	Lost    int64    `json:"lost"`    // of them, those without something that is due
	Doubled int64    `json:"doubled"` // of them, those with more of something than is due; and each charge for no order at all
	Effects []Effect `json:"effects"`
}

// Effect is one thing that orders bring about.
type Effect struct {
	Name    string `json:"name"`
	Due     int64  `json:"due"`     // how often, for all orders
	Lost    int64  `json:"lost"`    // how often it did not happen
	Doubled int64  `json:"doubled"` // how often it happened once too often
}

// effect is what an order, o, brings about: how often it is due, and how often it happened. What was paid is paid or
// shipped, or was cancelled by its customer. An order that was refused may have been charged before that: then the money
// is given back.
type effect struct {
	name, due, done string
	since           int // the first step that has it
}

const (
	ifPaid      = `case when o.status in ('paid', 'shipped') or o.cancel_reason = 'customer' then 1 else 0 end`
	ifKept      = `case when o.status in ('paid', 'shipped') then 1 else 0 end`
	ifCharged   = `case when o.cancel_reason = 'refused' then least(` + inCharges + `, 1) else ` + ifPaid + ` end`
	ifReturned  = `case when o.cancel_reason = 'refused' then ` + inCharges + ` else ` + ifWithdrawn + ` end`
	inCharges   = `(select count(*) from ledger l where l.reference = o.id::text and l.effect = 'charge')`
	ifWithdrawn = `case when o.cancel_reason = 'customer' then 1 else 0 end`
	inLedger    = `(select count(*) from ledger l where l.reference = o.id::text and l.effect = '%s')`
	inMails     = `(select count(distinct m.message_id) from mails m where m.about = o.id::text and m.subject = '%s')`
)

// effects are all that there are.
func effects() []effect {
	return []effect{
		{name: "charge", due: ifCharged, done: fmt.Sprintf(inLedger, "charge")},
		{name: "refund", due: ifReturned, done: fmt.Sprintf(inLedger, "refund")},
		{name: "shipment", due: ifPaid, done: `(select count(*) from shipping.shipments s where s.order_id = o.id)`},
		{name: "receipt", due: ifPaid, done: fmt.Sprintf(inMails, SubjectPaid)},
		{name: "mail of the cancellation", due: ifWithdrawn, done: `case
			when o.status = 'cancelled' and o.cancel_reason <> 'customer' then greatest(` +
			fmt.Sprintf(inMails, SubjectCancelled) + ` - 1, 0) -- whether one is due depends on what the answer was
			else ` + fmt.Sprintf(inMails, SubjectCancelled) + ` end`},
		{name: "end of the reservation", since: withReserved, due: `case when o.status <> 'pending' then 1 else 0 end`, done: `case
			when o.status = 'cancelled' and not exists (
				select from inventory.reservations r where r.order_id = o.id and r.status in ('reserved', 'committed')) then 1
			when o.status in ('paid', 'shipped') and exists (
				select from inventory.reservations r where r.order_id = o.id and r.status = 'committed') then 1
			else 0 end`},
		{name: "recent sale", since: withCatalog, due: ifKept,
			done: `(select count(*) from catalog.recent_orders r where r.order_id = o.id and not r.cancelled)`},
	}
}

// Effects counts for the orders placed from since on and before until. Unlike the rules, which say what is wrong, it
// says how much of it there is. A charge for no order at all belongs to no time; it is counted each time.
func (s *Shop) Effects(ctx context.Context, since, until time.Time) (t Tally, err error) {
	outside, err := s.witness(ctx)
	if err != nil {
		return t, err
	}
	err = pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, func(tx pgx.Tx) error {
		t, err = tally(ctx, tx, s.where, outside, since, until)
		return err
	})
	if err != nil {
		return t, fmt.Errorf("count the effects of orders: %w", err)
	}
	return t, nil
}

func tally(ctx context.Context, tx pgx.Tx, where Where, outside witness, since, until time.Time) (t Tally, err error) {
	if err := outside.load(ctx, tx); err != nil {
		return t, err
	}
	var each []string
	for n, e := range effects() {
		if where.step() < e.since {
			continue
		}
		each = append(each, fmt.Sprintf(`select %d as n, o.id, '%s' as name, %s as due, %s as done from placed o`, n, e.name, e.due, e.done))
	}
	const counted = `
		create temporary table effects on commit drop as
		with placed as (
			select *
			from orders.orders
			where placed_at >= @since and placed_at < @until
		)
		@each
		union all
		select @strays, null, 'charge for no order', 0, count(*)
		from ledger l
		where l.effect = 'charge' and not exists (select from orders.orders o where o.id::text = l.reference)
		group by l.reference`
	statement := strings.NewReplacer("@each", strings.Join(each, " union all "), "@strays", fmt.Sprint(len(effects())),
		"@since", literal(since), "@until", literal(until)).Replace(counted)
	if _, err := tx.Exec(ctx, where.inSchemas(statement)); err != nil {
		return t, err
	}
	rows, err := tx.Query(ctx, `
		select name, sum(due)::bigint as due, sum(greatest(due - done, 0))::bigint as lost, sum(greatest(done - due, 0))::bigint as doubled
		from effects
		group by n, name
		order by n`)
	if err != nil {
		return t, err
	}
	if t.Effects, err = pgx.CollectRows(rows, pgx.RowToStructByName[Effect]); err != nil {
		return t, err
	}
	err = tx.QueryRow(ctx, `
		select count(distinct id), count(distinct id) filter (where done < due),
			count(distinct id) filter (where done > due) + coalesce(sum(done) filter (where id is null), 0)::bigint
		from effects`).Scan(&t.Orders, &t.Lost, &t.Doubled)
	return t, err
}

// literal is a time in a statement that takes no parameters.
func literal(t time.Time) string {
	return "'" + t.UTC().Format("2006-01-02 15:04:05.999999") + "+00'::timestamptz"
}

package invariants

// charged is the card processor's ledger, a row for each order.
const charged = `(
	select reference,
		count(*) filter (where effect = 'charge') as charges,
		count(*) filter (where effect = 'refund') as refunds,
		count(*) filter (where effect = 'decline') as declines,
		sum(amount) filter (where effect = 'charge' and currency = 'USD') as taken,
		sum(amount) filter (where effect = 'refund' and currency = 'USD') as returned
	from ledger
	group by reference
)`

// money rules compare orders and payments with the card processor's ledger.
func money() []rule {
	return []rule{
		{
			name: "a paid or shipped order has one charge of its amount, and only such a charge is kept",
			of:   `select count(*) from orders.orders`,
			wrong: `
				select format('order %s, %s, %s cents: %s charges of %s cents, %s refunds of %s cents', o.id, o.status, o.total,
					coalesce(l.charges, 0), coalesce(l.taken, 0), coalesce(l.refunds, 0), coalesce(l.returned, 0))
				from orders.orders o
				left join ` + charged + ` l on l.reference = o.id::text
				where case
					when o.status in ('paid', 'shipped') then
						(l.charges, l.refunds, l.taken) is distinct from (1, 0, o.total)
					when o.status = 'cancelled' then
						coalesce(l.charges, 0) > 1 or coalesce(l.charges, 0) <> coalesce(l.refunds, 0)
						or l.taken is distinct from l.returned
					else coalesce(l.charges, 0) <> coalesce(l.refunds, 0) -- not in the end, and charged already
				end`,
		},
		{
			// What was given back, or declined, was asked for as well.
			name: "nothing is charged without an order",
			of:   `select count(*) from ledger`,
			wrong: `
				select format('order %s, which is not there: %s charges of %s cents, %s declines, %s refunds',
					l.reference, l.charges, l.taken, l.declines, l.refunds)
				from ` + charged + ` l
				where not exists (select from orders.orders o where o.id::text = l.reference)`,
		},
		{
			name: "the card processor decides once per order",
			of:   `select count(distinct reference) from ledger`,
			wrong: `
				select format('order %s: %s charges, %s declines, %s refunds', l.reference, l.charges, l.declines, l.refunds)
				from ` + charged + ` l
				where l.charges + l.declines > 1 or l.refunds > 1`,
		},
		{
			name: "a payment says what the ledger says",
			of:   `select count(*) from payments.payments`,
			wrong: `
				select format('order %s, %s: payment %s of %s cents; %s charges, %s declines, %s refunds', o.id, o.status,
					coalesce(p.status, 'none'), p.amount, coalesce(l.charges, 0), coalesce(l.declines, 0), coalesce(l.refunds, 0))
				from orders.orders o
				left join payments.payments p on p.order_id = o.id
				left join ` + charged + ` l on l.reference = o.id::text
				where case p.status
					when 'captured' then (l.charges, l.refunds, p.amount) is distinct from (1, 0, o.total)
					when 'refunded' then (l.charges, l.refunds, p.amount) is distinct from (1, 1, o.total)
					when 'declined' then case -- a charge that was refused leaves no trace
						when o.cancel_reason = 'refused' then coalesce(l.charges, 0) <> 0 or p.amount <> o.total
						else (l.declines, l.charges, p.amount) is distinct from (1, 0, o.total)
					end
					when 'void' then o.status in ('paid', 'shipped') or l.reference is not null or p.amount <> o.total
					when 'pending' then false -- another rule's
					else o.status in ('paid', 'shipped') or l.reference is not null
				end
				union all
				select format('payment of %s cents for order %s, which is not there', p.amount, p.order_id)
				from payments.payments p
				where not exists (select from orders.orders o where o.id = p.order_id)
				union all
				select format('order %s: %s payments', p.order_id, count(*))
				from payments.payments p
				group by p.order_id
				having count(*) > 1`,
		},
		{
			name: "an order's total is what its lines come to",
			of:   `select count(*) from orders.orders`,
			wrong: `
				select format('order %s: %s cents, and its lines %s', o.id, o.total, coalesce(i.lines, 0))
				from orders.orders o
				left join (
					select order_id, sum(quantity * unit_price) as lines
					from orders.order_items
					group by order_id
				) i on i.order_id = o.id
				where o.total is distinct from i.lines`,
		},
	}
}

package invariants

// goods rules follow the copies, the parcels and the mail about them.
func goods() []rule {
	return []rule{
		{
			name: "what came in is in stock or sold",
			of:   `select count(*) from catalog.books`,
			wrong: `
				with sold as (
					select i.book_id, sum(i.quantity) as copies
					from orders.order_items i
					join orders.orders o on o.id = i.order_id
					where o.status <> 'cancelled'
					group by i.book_id
				), delivered as (
					select book_id, sum(quantity) as copies
					from inventory.deliveries
					group by book_id
				)
				select format('book %s: %s came in, %s in stock, %s sold', b.id,
					coalesce(d.copies, 0), coalesce(s.on_hand, 0), coalesce(sold.copies, 0))
				from catalog.books b
				left join (@shelves) s on s.book_id = b.id
				left join delivered d on d.book_id = b.id
				left join sold on sold.book_id = b.id
				where coalesce(d.copies, 0) <> coalesce(s.on_hand, 0) + coalesce(sold.copies, 0)`,
		},
		{
			name: "stock is never negative",
			of:   `select count(*) from (@shelves) s`,
			wrong: `
				select format('book %s: %s in stock, %s reserved', s.book_id, s.on_hand, s.reserved)
				from (@shelves) s
				where s.on_hand < 0 or s.reserved < 0 or s.reserved > s.on_hand`,
		},
		{
			name: "a paid order has one shipment, in its state, and an unpaid one none",
			of:   `select count(*) from orders.orders`,
			wrong: `
				select format('order %s, %s: %s shipments %s', o.id, coalesce(o.cancel_reason, o.status),
					coalesce(s.shipments, 0), coalesce(s.states, ''))
				from orders.orders o
				left join (
					select order_id, count(*) as shipments, string_agg(status, ' ') as states
					from shipping.shipments
					group by order_id
				) s on s.order_id = o.id
				where s.states is distinct from case
					when o.status = 'paid' then 'preparing'
					when o.status = 'shipped' then 'dispatched'
					when o.cancel_reason = 'customer' then 'cancelled'
				end
				union all
				select format('shipment %s for order %s, which is not there', s.id, s.order_id)
				from shipping.shipments s
				where not exists (select from orders.orders o where o.id = s.order_id)`,
		},
		{
			// A mail whose sender was killed before it could note that it was sent comes twice, with the same
			// Message-ID; a mail program shows it once.
			name: "a paid order has one receipt, and an unpaid one none",
			of:   `select count(*) from orders.orders where placed_at >= (select since from given)`,
			wrong: told + `
				select format('order %s, %s: %s receipts', o.id, coalesce(o.cancel_reason, o.status), o.receipts)
				from told o
				where o.receipts <> case when o.status in ('paid', 'shipped') or o.cancel_reason = 'customer' then 1 else 0 end`,
		},
		{
			// Who was told by the answer itself that the card is declined, or the order refused, gets no mail; after a 202 there is one.
			name: "a cancellation and a dispatch are told once, and truly",
			of:   `select count(*) from orders.orders where placed_at >= (select since from given)`,
			wrong: told + `
				select format('order %s, %s: told %s times that it is cancelled, %s times that it is on its way',
					o.id, coalesce(o.cancel_reason, o.status), o.regrets, o.farewells)
				from told o
				where o.farewells <> case when o.status = 'shipped' then 1 else 0 end
					or case
						when o.cancel_reason = 'customer' then o.regrets <> 1
						when o.status = 'cancelled' then o.regrets > 1
						else o.regrets <> 0
					end`,
		},
	}
}

// told counts the distinct mails about each order that is young enough.
const told = `
	with told as (
		select o.id, o.status, o.cancel_reason,
			count(distinct m.message_id) filter (where m.subject = '` + SubjectPaid + `') as receipts,
			count(distinct m.message_id) filter (where m.subject = '` + SubjectCancelled + `') as regrets,
			count(distinct m.message_id) filter (where m.subject = '` + SubjectShipped + `') as farewells
		from orders.orders o
		left join mails m on m.about = o.id::text
		where o.placed_at >= (select since from given)
		group by o.id
	)`

package invariants

// rest rules say that nothing is left to be done.
func rest() []rule {
	return []rule{
		{
			name:  "no order is pending",
			of:    `select count(*) from orders.orders`,
			wrong: `select format('order %s of %s, %s', id, placed_at, status) from orders.orders where status not in ('paid', 'shipped', 'cancelled')`,
		},
		{
			name:  "no wish to cancel is open",
			of:    `select count(*) from orders.orders`,
			wrong: `select format('order %s of %s', id, placed_at) from orders.orders where status = 'paid' and cancel_requested_at is not null`,
			since: withWishes,
		},
		{
			name: "no payment and no refund is under way",
			of:   `select count(*) from payments.payments`,
			wrong: `
				select format('payment %s for order %s, %s', id, order_id, status)
				from payments.payments
				where status = 'pending' or status = 'captured' and refund_requested_at is not null`,
		},
		{
			name:  "no mail is queued",
			of:    `select count(*) from notifications.notifications`,
			wrong: `select format('%s %s to %s', kind, id, to_address) from notifications.notifications where status = 'queued'`,
		},
		{
			name: "no reservation is orphaned",
			of:   `select count(*) from inventory.reservations`,
			wrong: `
				select format('reservation of order %s: %s, and the order %s', r.order_id, r.status,
					coalesce(o.cancel_reason, o.status, 'is not there'))
				from inventory.reservations r
				left join orders.orders o on o.id = r.order_id
				where case r.status
					when 'committed' then coalesce(o.status, '') not in ('paid', 'shipped')
					when 'released' then coalesce(o.status, '') <> 'cancelled'
					when 'refused' then coalesce(o.status, 'cancelled') <> 'cancelled'
					else true
				end
				union all
				select format('order %s, %s, has no reservation', o.id, o.status)
				from orders.orders o
				where o.status in ('paid', 'shipped') and not exists (select from inventory.reservations r where r.order_id = o.id)
				union all
				select format('book %s: %s copies reserved for nobody', s.book_id, s.reserved)
				from inventory.stock s
				where s.reserved <> 0 and not exists (
					select from inventory.reservation_items i
					join inventory.reservations r on r.order_id = i.order_id
					where i.book_id = s.book_id and r.status = 'reserved'
				)`,
			since: withReserved,
		},
	}
}

// messages rules say that every event arrives, in the schemas that have some.
func messages(schemas []string) []rule {
	inEachArea := func(expression, by string) string { return inEach(schemas, expression, by) }
	return []rule{
		{
			name:  "every event is published",
			of:    inEachArea(`select count(*) from @area.outbox`, "+"),
			wrong: inEachArea(`select format('%s %s of @area', type, id) from @area.outbox where stream_seq is null`, "union all"),
			since: withEvents,
		},
		{
			name: "no event is rejected, but those that were planted",
			of:   inEachArea(`select count(*) from @area.inbox`, "+"),
			wrong: inEachArea(`
				select format('%s %s, rejected by @area: %s', type, event_id, error)
				from @area.dead_letters
				where replayed_at is null and event_id::text <> all ((select planted from given)::text[])`, "union all"),
			since: withEvents,
		},
		{
			name: "an event that was planted to be rejected is put aside by each of its readers",
			of:   `select cardinality(planted) * cardinality(readers) from given`,
			wrong: inEachArea(`
				select format('event %s is not, by @area', this.id)
				from (select unnest(planted) as id from given where '@area' = any(readers)) this
				where not exists (
					select from @area.dead_letters d
					where d.event_id::text = this.id and d.consumer = '@area' and d.replayed_at is null
				)`, "union all"),
			since: withEvents,
		},
	}
}

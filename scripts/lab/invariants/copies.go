package invariants

// copies rules compare what one service keeps of another's with its source.
func copies() []rule {
	return []rule{
		{
			name: "orders' copies of the books equal catalog's",
			of:   `select count(*) from catalog.books`,
			wrong: `
				select format('book %s: %s at %s cents, version %s, and in catalog %s at %s cents, version %s',
					coalesce(c.id, b.id), c.title, c.price, c.version, b.title, b.price, b.version)
				from orders.books c
				full join catalog.books b on b.id = c.id
				where (c.title, c.price, c.version) is distinct from (b.title, b.price, b.version)`,
			since: withCatalog,
		},
		{
			// Of a book that nobody has delivered nobody has spoken either. What changes stock and leaves as much to be
			// bought is not told, so the copy may be of an older version, but never of a newer one.
			name: "catalog's availability equals inventory's stock",
			of:   `select count(*) from (@shelves) s`,
			wrong: `
				select format('book %s: %s available, as of version %s, and in inventory %s, version %s',
					coalesce(a.book_id, s.book_id), a.available, a.version, s.on_hand - s.reserved, s.version)
				from catalog.availability a
				full join (@shelves) s on s.book_id = a.book_id
				where coalesce(a.available, 0) <> least(coalesce(s.on_hand - s.reserved, 0), 9007199254740991) -- the most that is shown
					or coalesce(a.version, 0) > coalesce(s.version, 0)`,
			since: withCatalog,
		},
		{
			name: "inventory knows every book",
			of:   `select count(*) from catalog.books`,
			wrong: `
				select format('book %s', b.id)
				from catalog.books b
				where not exists (select from inventory.stock s where s.book_id = b.id)`,
			since: withReserved,
		},
		{
			name: "catalog's recent sales equal the orders",
			of:   `select count(*) from catalog.recent_orders`,
			// Catalog forgets sales that are no longer among the newest 10,000, after a week.
			wrong: `
				with sold as (
					select id, placed_at, row_number() over (order by placed_at desc, id desc) <= 10000 as kept
					from orders.orders
					where status in ('paid', 'shipped')
				), recent as (
					select order_id, placed_at
					from catalog.recent_orders
					where not cancelled
				)
				select format('order %s: placed at %s, and as catalog has it at %s', coalesce(o.id, r.order_id), o.placed_at, r.placed_at)
				from sold o
				full join recent r on r.order_id = o.id
				where o.placed_at is distinct from r.placed_at and (o.kept or r.order_id is not null)
				union all
				select format('order %s, book %s: %s copies, and as catalog has it %s',
					coalesce(o.order_id, r.order_id), coalesce(o.book_id, r.book_id), o.quantity, r.quantity)
				from (
					select i.*
					from orders.order_items i
					join sold on sold.id = i.order_id
					join recent on recent.order_id = i.order_id
				) o
				full join (
					select i.* from catalog.recent_order_items i join recent on recent.order_id = i.order_id
				) r on r.order_id = o.order_id and r.book_id = o.book_id
				where o.quantity is distinct from r.quantity`,
			since: withCatalog,
		},
		{
			name: "notifications' contacts equal the accounts",
			of:   `select count(*) from accounts.accounts`,
			wrong: `
				select format('account %s: %s <%s>, and in accounts %s <%s>', coalesce(c.account_id, a.id), c.name, c.email, a.name, a.email)
				from notifications.contacts c
				full join accounts.accounts a on a.id = c.account_id
				where (c.email, c.name) is distinct from (a.email, a.name)`,
			since: withEvents,
		},
	}
}

-- Nobody writes by now. A killed process's transaction may still commit, on either side,
-- and is waited for.
lock table monolith.books, monolith.orders, monolith.order_items, catalog.books
  in share row exclusive mode;

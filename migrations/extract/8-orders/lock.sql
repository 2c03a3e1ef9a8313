-- Nobody writes by now. A killed process's transaction may still commit, on either side,
-- and is waited for.
lock table monolith.books, monolith.carts, monolith.cart_items, monolith.orders, monolith.order_items,
  monolith.idempotency_keys, orders.books, orders.carts, orders.cart_items, orders.orders, orders.order_items,
  orders.idempotency_keys
  in share row exclusive mode;

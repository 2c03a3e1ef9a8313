-- Nobody writes by now. A killed process's transaction may still commit, on either side,
-- and is waited for.
lock table monolith.books, monolith.deliveries, monolith.orders, monolith.order_items, monolith.idempotency_keys,
  inventory.stock, inventory.deliveries, inventory.reservations, inventory.reservation_items, inventory.idempotency_keys
  in share row exclusive mode;

revoke insert, update, delete
  on orders.books, orders.carts, orders.cart_items, orders.orders, orders.order_items, orders.idempotency_keys
  from orders_app;
grant insert, update, delete
  on monolith.carts, monolith.cart_items, monolith.orders, monolith.order_items, monolith.idempotency_keys
  to monolith_app;
grant insert (id, title, price, version), update (title, price, version)
  on monolith.books to monolith_app;

select extract.hand_events('order', 'orders', 'monolith');

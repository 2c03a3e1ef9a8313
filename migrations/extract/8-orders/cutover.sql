-- The right to write moves, and with it the ownership. The rights to single columns of
-- books go with those to the table.
revoke insert, update, delete
  on monolith.books, monolith.carts, monolith.cart_items, monolith.orders, monolith.order_items, monolith.idempotency_keys
  from monolith_app;
grant insert, update, delete
  on orders.books, orders.carts, orders.cart_items, orders.orders, orders.order_items, orders.idempotency_keys
  to orders_app;

-- The owner publishes. The events go along with their marks, published or not. Without
-- the published ones of the last day, nobody could publish again what the broker loses.
select extract.hand_events('order', 'monolith', 'orders');

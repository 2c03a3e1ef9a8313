revoke insert, update, delete
  on orders.books, orders.carts, orders.cart_items, orders.orders, orders.order_items, orders.idempotency_keys
  from orders_app;

alter table monolith.order_items rename to order_items_old;
alter table monolith.orders rename to orders_old;
alter table monolith.cart_items rename to cart_items_old;
alter table monolith.carts rename to carts_old;
alter table monolith.books rename to books_old;
alter table monolith.idempotency_keys rename to idempotency_keys_old;

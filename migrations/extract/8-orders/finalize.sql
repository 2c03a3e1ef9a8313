-- The tables of events stay: an event that the trunk could not handle is still there to see.
drop table if exists monolith.order_items_old;
drop table if exists monolith.orders_old;
drop table if exists monolith.cart_items_old;
drop table if exists monolith.carts_old;
drop table if exists monolith.books_old;
drop table if exists monolith.idempotency_keys_old;

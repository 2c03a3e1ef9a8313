-- The tables of events stay: an event that the trunk could not handle is still there to see.
drop table if exists monolith.order_items;
drop table if exists monolith.orders;
drop table if exists monolith.cart_items;
drop table if exists monolith.carts;
drop table if exists monolith.books;
drop table if exists monolith.idempotency_keys;

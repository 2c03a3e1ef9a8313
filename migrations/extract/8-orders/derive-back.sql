create or replace view extract.orders_back_books as
select id, title, price, version
from orders.books;

create or replace view extract.orders_back_carts as
select account_id, version
from orders.carts;

create or replace view extract.orders_back_cart_items as
select account_id, book_id, quantity, added_at
from orders.cart_items;

-- claimed_until stays: the trunk is one process, and claims nothing.
create or replace view extract.orders_back_orders as
select id, account_id, status, total, shipping_address, placed_at, cancel_reason, card_token, cancel_requested_at
from orders.orders;

create or replace view extract.orders_back_order_items as
select order_id, position, book_id, title, quantity, unit_price
from orders.order_items;

create or replace view extract.orders_back_idempotency_keys as
select account_id, method, path, key, fingerprint, about, claimed_at, status, location, content_type, body
from orders.idempotency_keys
where path like '/v1/orders%';

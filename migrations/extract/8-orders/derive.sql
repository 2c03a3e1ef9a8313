-- The copy of the books, which has had only these columns since inventory left.
create or replace view extract.orders_books as
select id, title, price, version
from monolith.books;

create or replace view extract.orders_carts as
select account_id, version
from monolith.carts;

create or replace view extract.orders_cart_items as
select account_id, book_id, quantity, added_at
from monolith.cart_items;

-- All orders: of one that it does not know, the service could not tell that it was
-- dispatched. claimed_until is not among the columns: its default is now, so the
-- service's sweeper takes up what is pending at once.
create or replace view extract.orders_orders as
select id, account_id, status, total, shipping_address, placed_at, cancel_reason, card_token, cancel_requested_at
from monolith.orders;

create or replace view extract.orders_order_items as
select order_id, position, book_id, title, quantity, unit_price
from monolith.order_items;

create or replace view extract.orders_idempotency_keys as
select account_id, method, path, key, fingerprint, about, claimed_at, status, location, content_type, body
from monolith.idempotency_keys
where path like '/v1/orders%';

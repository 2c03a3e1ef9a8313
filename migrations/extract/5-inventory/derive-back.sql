-- The fold. What an order has reserved comes off the shelf, as if it had been taken when
-- the order was placed. The order's status decides, not the reservation's: inventory may
-- not have heard yet that an order is paid, whose copies are gone, or cancelled, whose
-- copies are back.
--
-- A book has one row for two owners. Its stock is inventory's. Its title, price and version
-- are the trunk's copy, and stay. Only a book of which the trunk has not heard yet is taken
-- from the catalog.
--
-- Orders and reservations agreed at the switch. So those that count are the pending ones,
-- and those that were noted since: few, however many orders there are.
create or replace view extract.inventory_back_books as
with since as (
  select key::uuid as order_id
  from extract.changes
  where area = 'inventory' and root = 'order'
  union
  select id
  from monolith.orders
  where status = 'pending'
), correction as (
  select i.book_id,
    sum(case r.status when 'reserved' then -i.quantity else i.quantity end)::bigint as copies
  from since
  join inventory.reservations r on r.order_id = since.order_id
  join inventory.reservation_items i on i.order_id = r.order_id
  join monolith.orders o on o.id = r.order_id
  where (r.status = 'reserved' and o.status <> 'cancelled')
     or (r.status = 'committed' and o.status = 'cancelled')
  group by i.book_id
)
select b.id, b.title, b.price, b.version,
  coalesce(s.on_hand, 0) + coalesce(c.copies, 0) as stock, coalesce(s.version, 1) as stock_version
from monolith.books b
left join inventory.stock s on s.book_id = b.id
left join correction c on c.book_id = b.id
union all
select b.id, b.title, b.price, b.version, s.on_hand + coalesce(c.copies, 0), s.version
from inventory.stock s
join catalog.books b on b.id = s.book_id
left join correction c on c.book_id = s.book_id
where not exists (select from monolith.books here where here.id = s.book_id);

create or replace view extract.inventory_back_deliveries as
select id, book_id, quantity, delivered_at
from inventory.deliveries;

create or replace view extract.inventory_back_idempotency_keys as
select account_id, method, path, key, fingerprint, about, claimed_at, status, location, content_type, body
from inventory.idempotency_keys
where path like '/v1/stock/%';

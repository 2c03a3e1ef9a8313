-- The one area whose shape differs. In the monolith an order takes its copies off the
-- shelf when it is placed. In the service they stay on the shelf, reserved, until the
-- order is paid. So what pending orders have taken goes back on the shelf, as reserved.
-- What is available does not change, and neither does the count of changes.
create or replace view extract.inventory_stock as
with promised as ( -- to few: the partial index orders_pending finds the orders
  select i.book_id, sum(i.quantity)::bigint as copies
  from monolith.orders o
  join monolith.order_items i on i.order_id = o.id
  where o.status = 'pending'
  group by i.book_id
)
select b.id as book_id, b.stock + coalesce(p.copies, 0) as on_hand, coalesce(p.copies, 0) as reserved,
  b.stock_version as version
from monolith.books b
left join promised p on p.book_id = b.id;

-- Of all orders, also of those long done: the service's durable begins at the start of
-- the stream, and an event about an order that the service does not know would be tried
-- again for ever.
create or replace view extract.inventory_reservations as
select id as order_id,
  case status when 'pending' then 'reserved' when 'cancelled' then 'released' else 'committed' end as status,
  null::jsonb as short, placed_at as created_at
from monolith.orders;

create or replace view extract.inventory_reservation_items as
select order_id, book_id, quantity
from monolith.order_items;

create or replace view extract.inventory_deliveries as
select id, book_id, quantity, delivered_at
from monolith.deliveries;

-- Orders and deliveries share one table of keys until now. The path tells them apart.
create or replace view extract.inventory_idempotency_keys as
select account_id, method, path, key, fingerprint, about, claimed_at, status, location, content_type, body
from monolith.idempotency_keys
where path like '/v1/stock/%';

alter table monolith.shipments drop constraint if exists shipments_order_id_fkey;

-- The right to write moves, and with it the ownership.
revoke insert, update, delete on monolith.shipments from monolith_app;
grant insert, update, delete on shipping.shipments to shipping_app;

-- The owner publishes. The area's events go along with their marks, published or not.
with moved as (
  delete from monolith.outbox
  where type like 'shipment.%'
  returning *
)
insert into shipping.outbox (id, type, data, trace, created_at, stream_seq, published_at)
select id, type, data, trace, created_at, stream_seq, published_at
from moved
order by position;

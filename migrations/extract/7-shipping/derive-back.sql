-- A parcel that was cancelled before anybody said where it was to go has no address. In
-- the monolith it gets its order's.
create or replace view extract.shipping_back_shipments as
select s.id, s.order_id, s.account_id, s.status, s.tracking_number,
  coalesce(s.address, (select o.shipping_address from monolith.orders o where o.id = s.order_id)) as address,
  s.created_at
from shipping.shipments s;

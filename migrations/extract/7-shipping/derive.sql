create or replace view extract.shipping_shipments as
select id, order_id, account_id, status, tracking_number, address, created_at
from monolith.shipments;

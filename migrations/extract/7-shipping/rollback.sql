-- The trunk may not have heard of a dispatch, and nobody tells it from now on.
update monolith.orders o
set status = 'shipped'
from monolith.shipments s
where s.order_id = o.id
  and s.status = 'dispatched'
  and o.status = 'paid';

-- Both sides know the address of each parcel.
update shipping.shipments s
set address = o.shipping_address
from monolith.orders o
where o.id = s.order_id and s.address is null;

-- What is there by now is not looked at while customers wait: the constraint is validated
-- after the hold.
alter table monolith.shipments
  add constraint shipments_order_id_fkey foreign key (order_id) references monolith.orders not valid;

revoke insert, update, delete on shipping.shipments from shipping_app;
grant insert, update, delete on monolith.shipments to monolith_app;

select extract.hand_events('shipment', 'shipping', 'monolith');

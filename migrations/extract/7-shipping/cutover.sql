alter table monolith.shipments drop constraint if exists shipments_order_id_fkey;

-- The right to write moves, and with it the ownership.
revoke insert, update, delete on monolith.shipments from monolith_app;
grant insert, update, delete on shipping.shipments to shipping_app;

-- The owner publishes, so the area's events go along.
select extract.hand_events('shipment', 'monolith', 'shipping');

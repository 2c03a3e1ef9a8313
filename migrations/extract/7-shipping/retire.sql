alter table monolith.shipments rename to shipments_old;

drop table if exists monolith.shipments_old;

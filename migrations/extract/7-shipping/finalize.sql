drop table if exists monolith.shipments;

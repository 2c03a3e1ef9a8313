drop table if exists monolith.payments;

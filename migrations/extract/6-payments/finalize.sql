drop table if exists monolith.payments_old;

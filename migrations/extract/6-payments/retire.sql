alter table monolith.payments rename to payments_old;

alter table monolith.books
  drop column if exists stock_old,
  drop column if exists stock_version_old;
drop table if exists monolith.deliveries_old;
delete from monolith.idempotency_keys
where path like '/v1/stock/%';

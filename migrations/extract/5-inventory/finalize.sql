alter table monolith.books
  drop column if exists stock,
  drop column if exists stock_version;
drop table if exists monolith.deliveries;
delete from monolith.idempotency_keys
where path like '/v1/stock/%';
drop function if exists extract.note_promises;

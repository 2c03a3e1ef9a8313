-- A new customer is a row of the service from now on. With these foreign keys the first
-- cart of a new customer would be refused.
alter table monolith.carts drop constraint if exists carts_account_id_fkey;
alter table monolith.orders drop constraint if exists orders_account_id_fkey;
alter table monolith.payments drop constraint if exists payments_account_id_fkey;
alter table monolith.shipments drop constraint if exists shipments_account_id_fkey;

-- The right to write moves, and with it the ownership.
revoke insert, update, delete on monolith.accounts, monolith.sessions from monolith_app;
grant insert, update, delete on accounts.accounts, accounts.sessions to accounts_app;

-- The owner publishes. The area's events go along with their marks, published or not:
-- the relay compares the published ones with the stream, and publishes the others.
with moved as (
  delete from monolith.outbox
  where type like 'account.%'
  returning *
)
insert into accounts.outbox (id, type, data, trace, created_at, stream_seq, published_at)
select id, type, data, trace, created_at, stream_seq, published_at
from moved
order by position;

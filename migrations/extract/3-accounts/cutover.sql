-- A new customer is a row of the service from now on. With these foreign keys the first
-- cart of a new customer would be refused.
alter table monolith.carts drop constraint if exists carts_account_id_fkey;
alter table monolith.orders drop constraint if exists orders_account_id_fkey;
alter table monolith.payments drop constraint if exists payments_account_id_fkey;
alter table monolith.shipments drop constraint if exists shipments_account_id_fkey;

-- The right to write moves, and with it the ownership.
revoke insert, update, delete on monolith.accounts, monolith.sessions from monolith_app;
grant insert, update, delete on accounts.accounts, accounts.sessions to accounts_app;

-- The owner publishes, so the area's events go along.
select extract.hand_events('account', 'monolith', 'accounts');

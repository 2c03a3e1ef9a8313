-- What is there by now is not looked at while customers wait: the constraints are
-- validated after the hold.
alter table monolith.carts
  add constraint carts_account_id_fkey foreign key (account_id) references monolith.accounts not valid;
alter table monolith.orders
  add constraint orders_account_id_fkey foreign key (account_id) references monolith.accounts not valid;
alter table monolith.payments
  add constraint payments_account_id_fkey foreign key (account_id) references monolith.accounts not valid;
alter table monolith.shipments
  add constraint shipments_account_id_fkey foreign key (account_id) references monolith.accounts not valid;

revoke insert, update, delete on accounts.accounts, accounts.sessions from accounts_app;
grant insert, update, delete on monolith.accounts, monolith.sessions to monolith_app;

select extract.hand_events('account', 'accounts', 'monolith');

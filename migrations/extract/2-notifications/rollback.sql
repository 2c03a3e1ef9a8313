-- What is there by now is not looked at while customers wait: the constraints are
-- validated after the hold.
alter table monolith.notifications
  add constraint notifications_account_id_fkey foreign key (account_id) references monolith.accounts not valid,
  add constraint notifications_order_id_fkey foreign key (order_id) references monolith.orders not valid;

revoke insert, update, delete on notifications.notifications from notifications_app;
grant insert, update, delete on monolith.notifications to monolith_app;

-- What stays behind until it is dropped must not hold back accounts and orders.
alter table monolith.notifications
  drop constraint if exists notifications_account_id_fkey,
  drop constraint if exists notifications_order_id_fkey;

-- The right to write moves, and with it the ownership. Notifications publishes nothing.
revoke insert, update, delete on monolith.notifications from monolith_app;
grant insert, update, delete on notifications.notifications to notifications_app;

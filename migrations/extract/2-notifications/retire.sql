alter table monolith.notifications rename to notifications_old;

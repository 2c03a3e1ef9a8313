drop table if exists monolith.notifications_old;

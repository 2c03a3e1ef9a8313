drop table if exists monolith.notifications;

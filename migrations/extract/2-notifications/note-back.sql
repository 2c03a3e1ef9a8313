create or replace trigger notifications_back_notification
after insert or update or delete on notifications.notifications
for each row execute function extract.note('notifications', 'notification', 'id');

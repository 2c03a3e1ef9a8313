create or replace trigger notifications_notes_account
after insert or update or delete on monolith.accounts
for each row execute function extract.note('notifications', 'account', 'id');

create or replace trigger notifications_notes_notification
after insert or update or delete on monolith.notifications
for each row execute function extract.note('notifications', 'notification', 'id');

-- A mail comes back as it is, with its lease. The contacts stay: the monolith has the
-- accounts themselves.
create or replace view extract.notifications_back_notifications as
select id, account_id, order_id, kind, to_address, subject, body, status, created_at, claimed_until, sent_at
from notifications.notifications;

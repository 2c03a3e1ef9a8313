-- The copy that the service keeps of each account. Afterwards account.registered keeps it.
create or replace view extract.notifications_contacts as
select id as account_id, email, name
from monolith.accounts;

-- claimed_until goes along. It is the lease of a mail that a worker is sending: the
-- service's worker sends it again when the lease is over, under the same Message-ID.
create or replace view extract.notifications_notifications as
select id, account_id, order_id, kind, to_address, subject, body, status, created_at, claimed_until, sent_at
from monolith.notifications;

-- A void payment refuses a charge that comes late. It has no counterpart: in the monolith
-- the order next to it refuses, and knows why a charge failed.
create or replace view extract.payments_back_payments as
select id, order_id, account_id, status, amount, card_token, created_at, refund_requested_at, doubtful, refund_after
from payments.payments
where status <> 'void';

-- Payments move as they are. The service also keeps why a charge failed; in the monolith
-- the order next to it knows.
create or replace view extract.payments_payments as
select id, order_id, account_id, status, amount, card_token, created_at, refund_requested_at, doubtful,
  exists (select from monolith.orders o where o.id = p.order_id and o.cancel_reason = 'refused') as refused,
  refund_after
from monolith.payments p;

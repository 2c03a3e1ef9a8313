-- Who asks a service to charge has to send the card, also when the service has it
-- already: the sweeper can't know. So the pending orders get their cards.
update monolith.orders o
set card_token = p.card_token
from monolith.payments p
where p.order_id = o.id
  and o.status = 'pending'
  and p.card_token is not null;

alter table monolith.payments drop constraint if exists payments_order_id_fkey;

-- The right to write moves, and with it the ownership.
revoke insert, update, delete on monolith.payments from monolith_app;
grant insert, update, delete on payments.payments to payments_app;

-- The monolith never tells of payments. But events may have come back with a rollback.
select extract.hand_events('payment', 'monolith', 'payments');

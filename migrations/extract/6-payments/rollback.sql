-- The triggers of the way forth are on by now: what is written here is noted.

-- An order that was cancelled gets its money back. Payments may not have heard of it, and
-- nobody hears order.cancelled from now on. A charge that is pending may still be made:
-- its refund waits for longer than an attempt to charge takes.
update monolith.payments p
set refund_requested_at = now(),
  refund_after = now() + case p.status when 'pending' then interval '10 seconds' else interval '0' end
from monolith.orders o
where o.id = p.order_id
  and o.status = 'cancelled'
  and p.status in ('pending', 'captured')
  and p.refund_requested_at is null;

-- A pending order of which payments was not asked yet: the sweeper finds its payment, as
-- if it had been opened with the order.
insert into monolith.payments (id, order_id, account_id, status, amount, card_token, created_at)
select extract.uuid_v7(), o.id, o.account_id, 'pending', o.total, o.card_token, o.placed_at
from monolith.orders o
where o.status = 'pending'
  and not exists (
    select from monolith.payments p
    where p.order_id = o.id);

-- The payments keep the cards again.
update monolith.orders
set card_token = null
where status = 'pending' and card_token is not null;

-- What has no counterpart goes: no charge is under way that could come late.
delete from payments.payments
where status = 'void';

-- Why a charge failed is what the order says, from now on.
insert into extract.changes (area, root, key)
select 'payments', 'order', p.order_id::text
from payments.payments p
join monolith.orders o on o.id = p.order_id
where p.refused <> (o.cancel_reason is not distinct from 'refused');

-- What is there by now is not looked at while customers wait: the constraint is validated
-- after the hold.
alter table monolith.payments
  add constraint payments_order_id_fkey foreign key (order_id) references monolith.orders not valid;

revoke insert, update, delete on payments.payments from payments_app;
grant insert, update, delete on monolith.payments to monolith_app;

select extract.hand_events('payment', 'payments', 'monolith');

-- +goose Up
alter table payments
  add column doubtful     boolean not null default false, -- an attempt to charge was made whose outcome nobody heard
  add column refund_after timestamptz not null default now(); -- the processor is told of the refund then, or told again
update payments
set refund_after = refund_requested_at
where refund_requested_at is not null;
-- The refunds that the card processor still has to be told of. One that it
-- refuses goes to the back. A pending payment may have been charged.
drop index payments_refund_due;
create index payments_refund_due on payments (refund_after)
  where status in ('pending', 'captured') and refund_requested_at is not null;

-- refused: the card processor said a definite no that is no decline.
alter table orders
  drop constraint orders_cancel_reason_check,
  add constraint orders_cancel_reason_check check (cancel_reason in ('declined', 'customer', 'sold_out', 'refused'));

-- +goose Down
update orders
set cancel_reason = 'declined'
where cancel_reason = 'refused';
alter table orders
  drop constraint orders_cancel_reason_check,
  add constraint orders_cancel_reason_check check (cancel_reason in ('declined', 'customer', 'sold_out'));
drop index payments_refund_due;
create index payments_refund_due on payments (refund_requested_at)
  where status = 'captured' and refund_requested_at is not null;
alter table payments
  drop column refund_after,
  drop column doubtful;

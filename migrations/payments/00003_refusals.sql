-- +goose Up
alter table payments
  add column doubtful     boolean not null default false, -- an attempt to charge was made whose outcome nobody heard
  add column refused      boolean not null default false, -- the processor said a definite no that is no decline
  add column refund_after timestamptz not null default now(); -- the processor is told of the refund then, or told again
update payments
set refund_after = refund_requested_at
where refund_requested_at is not null;
-- The refunds that the card processor still has to be told of. One that it
-- refuses goes to the back. A pending payment may have been charged.
drop index payments_refund_due;
create index payments_refund_due on payments (refund_after)
  where status in ('pending', 'captured') and refund_requested_at is not null;

-- +goose Down
drop index payments_refund_due;
create index payments_refund_due on payments (refund_requested_at)
  where status = 'captured' and refund_requested_at is not null;
alter table payments
  drop column refund_after,
  drop column refused,
  drop column doubtful;

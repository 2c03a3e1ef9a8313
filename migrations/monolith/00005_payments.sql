-- +goose Up
create table payments (
  id                  uuid primary key,
  order_id            uuid not null constraint payments_order unique references orders,
  account_id          uuid not null references accounts,
  status              text not null check (status in ('pending', 'captured', 'declined', 'refunded')),
  amount              bigint not null check (amount > 0), -- US cents
  card_token          text, -- kept only until the order is settled
  created_at          timestamptz not null,
  refund_requested_at timestamptz,
  check (status = 'pending' or card_token is null)
) with (fillfactor = 85);
create index payments_by_account on payments (account_id, id desc);
-- The refunds that the card processor still has to be told of.
create index payments_refund_due on payments (refund_requested_at)
  where status = 'captured' and refund_requested_at is not null;

-- +goose Down
drop table payments;

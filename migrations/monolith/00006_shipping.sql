-- +goose Up
create table shipments (
  id              uuid primary key,
  order_id        uuid not null constraint shipments_order unique references orders,
  account_id      uuid not null references accounts,
  status          text not null check (status in ('preparing', 'dispatched', 'cancelled')),
  tracking_number text,
  address         jsonb not null,
  created_at      timestamptz not null,
  check ((status = 'dispatched') = (tracking_number is not null))
) with (fillfactor = 85);
create index shipments_by_account on shipments (account_id, id desc);

-- +goose Down
drop table shipments;

-- +goose Up
create table shipments (
  id              uuid primary key,
  order_id        uuid not null constraint shipments_order unique,
  account_id      uuid not null,
  status          text not null check (status in ('preparing', 'dispatched', 'cancelled')),
  tracking_number text,
  address         jsonb, -- null: cancelled before anybody said where it was to go
  created_at      timestamptz not null,
  check ((status = 'dispatched') = (tracking_number is not null)),
  check (status = 'cancelled' or address is not null)
) with (fillfactor = 85);
create index shipments_by_account on shipments (account_id, id desc);

-- +goose Down
drop table shipments;

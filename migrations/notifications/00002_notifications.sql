-- +goose Up

-- A copy of what accounts says of its customers. It may know an account after an
-- order of it is paid, so nothing refers to it.
create table contacts (
  account_id uuid primary key,
  email      text not null,
  name       text not null
);

create table notifications (
  id            uuid primary key, -- also the mail's Message-ID
  account_id    uuid not null,
  order_id      uuid,
  kind          text not null check (kind in ('welcome', 'order_paid', 'order_cancelled', 'order_shipped')),
  to_address    text not null,
  subject       text not null,
  body          text not null,
  status        text not null default 'queued' check (status in ('queued', 'sent')),
  created_at    timestamptz not null default now(),
  claimed_until timestamptz, -- until then a worker is sending it, or died trying, or its refusal is respected
  sent_at       timestamptz
) with (fillfactor = 85);
-- An effect happens once, however often its cause is reported.
create unique index notifications_once on notifications (order_id, kind) where order_id is not null;
create unique index notifications_welcome_once on notifications (account_id) where kind = 'welcome';
create index notifications_by_account on notifications (account_id, id desc);
create index notifications_queued on notifications (created_at) where status = 'queued';

-- +goose Down
drop table notifications;
drop table contacts;

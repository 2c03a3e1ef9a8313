-- +goose Up

-- A copy of what catalog says, so that neither cart nor checkout has to ask it.
create table books (
  id      uuid primary key,
  title   text not null,
  price   bigint not null, -- US cents
  version integer not null -- catalog's count of edits; only a newer one is taken over
);

-- The version moves with every change of the lines, so that a checkout notices
-- a cart that changed under it.
create table carts (
  account_id uuid primary key,
  version    bigint not null default 1
);

create table cart_items (
  account_id uuid not null references carts,
  book_id    uuid not null constraint cart_items_book references books,
  quantity   integer not null check (quantity between 1 and 99),
  added_at   timestamptz not null default clock_timestamp(),
  primary key (account_id, book_id)
);

create table orders (
  id                  uuid primary key,
  account_id          uuid not null,
  status              text not null check (status in ('pending', 'paid', 'shipped', 'cancelled')),
  total               bigint not null check (total > 0), -- US cents
  shipping_address    jsonb not null,
  placed_at           timestamptz not null,
  cancel_reason       text check (cancel_reason in ('declined', 'customer', 'sold_out')),
  -- The saga's state: what its next step needs, and who is at it until when.
  card_token          text, -- kept only until the order is settled
  cancel_requested_at timestamptz, -- shipping has to be asked whether the parcel has left
  claimed_until       timestamptz not null default now(),
  check ((status = 'cancelled') = (cancel_reason is not null)),
  check (status = 'pending' or card_token is null)
) with (fillfactor = 85);
create unique index orders_one_pending on orders (account_id) where status = 'pending';
create index orders_by_account on orders (account_id, placed_at desc, id desc);
-- The sweeper's work.
create index orders_unsettled on orders (claimed_until) where status = 'pending' or cancel_requested_at is not null;

create table order_items (
  order_id   uuid not null references orders,
  position   smallint not null,
  book_id    uuid not null,
  title      text not null,
  quantity   integer not null,
  unit_price bigint not null, -- US cents
  primary key (order_id, position)
);

-- The answers to requests that carry an Idempotency-Key, kept for 24 hours.
-- A row without an answer is in flight.
create table idempotency_keys (
  account_id   uuid not null,
  method       text not null,
  path         text not null,
  key          text not null,
  fingerprint  bytea not null, -- SHA-256 of the body
  about        uuid not null,  -- what the request makes, such as an order
  claimed_at   timestamptz not null default now(),
  status       smallint,
  location     text,
  content_type text,
  body         bytea,
  constraint idempotency_keys_pkey primary key (account_id, method, path, key)
);
create index idempotency_keys_claimed_at on idempotency_keys (claimed_at);

-- +goose Down
drop table idempotency_keys;
drop table order_items;
drop table orders;
drop table cart_items;
drop table carts;
drop table books;

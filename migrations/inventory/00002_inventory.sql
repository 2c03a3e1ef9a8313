-- +goose Up

-- How many copies there are. fillfactor leaves room on each page, so that a
-- sale's update stays on its page and touches no index.
create table stock (
  book_id  uuid primary key, -- the catalog's; it came with an event
  on_hand  integer not null default 0, -- in the house
  reserved integer not null default 0, -- of those, promised to orders
  version  bigint not null default 0,  -- counts changes; lets others tell which of two events is newer
  constraint stock_not_oversold check (0 <= reserved and reserved <= on_hand)
) with (fillfactor = 85);

-- What came in. What is there is stock; what went out is in the reservations.
create table deliveries (
  id           uuid primary key,
  book_id      uuid not null references stock,
  quantity     integer not null check (quantity > 0),
  delivered_at timestamptz not null
);
create index deliveries_by_book on deliveries (book_id);

-- What an order was promised, or why it was not. One row per order and for
-- ever: a request or an event that comes late or twice finds its answer here.
create table reservations (
  order_id   uuid constraint reservations_pkey primary key,
  status     text not null check (status in ('reserved', 'refused', 'committed', 'released')),
  short      jsonb, -- of what there was too little, and how much
  created_at timestamptz not null default now(),
  check ((status = 'refused') = (short is not null))
) with (fillfactor = 85);

create table reservation_items (
  order_id uuid not null references reservations,
  book_id  uuid not null, -- null is how a book that is not in stock fails the batch
  quantity integer not null check (quantity > 0),
  primary key (order_id, book_id)
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
drop table reservation_items;
drop table reservations;
drop table deliveries;
drop table stock;

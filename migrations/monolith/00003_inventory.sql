-- +goose Up

-- What came in. What is there is books.stock; what went out is in the orders.
create table deliveries (
  id           uuid primary key,
  book_id      uuid not null references books,
  quantity     integer not null check (quantity > 0),
  delivered_at timestamptz not null
);
create index deliveries_by_book on deliveries (book_id);

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
drop table deliveries;

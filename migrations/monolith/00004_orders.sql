-- +goose Up

-- The version moves with every change of the lines, so that a checkout notices
-- a cart that changed under it.
create table carts (
  account_id uuid primary key references accounts,
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
  id               uuid primary key,
  account_id       uuid not null references accounts,
  status           text not null check (status in ('pending', 'paid', 'shipped', 'cancelled')),
  total            bigint not null check (total > 0), -- US cents
  shipping_address jsonb not null,
  placed_at        timestamptz not null,
  cancel_reason    text check (cancel_reason in ('declined', 'customer', 'sold_out')),
  check ((status = 'cancelled') = (cancel_reason is not null))
) with (fillfactor = 85);
create unique index orders_one_pending on orders (account_id) where status = 'pending';
create index orders_by_account on orders (account_id, placed_at desc, id desc);
-- The sweeper's work, and the last sales, newest first.
create index orders_pending on orders (placed_at) where status = 'pending';
create index orders_sold on orders (placed_at desc, id desc) where status in ('paid', 'shipped');

create table order_items (
  order_id   uuid not null references orders,
  position   smallint not null,
  book_id    uuid not null references books,
  title      text not null,
  quantity   integer not null,
  unit_price bigint not null, -- US cents
  primary key (order_id, position)
);

-- +goose Down
drop table order_items;
drop table orders;
drop table cart_items;
drop table carts;

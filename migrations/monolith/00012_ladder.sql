-- +goose Up

-- What the steps of the ladder need, from step 0 on, where nobody writes it. A step
-- takes away; it never has to add.
alter table orders
  -- From step 6 on, payments keeps no token for an order that it was not asked about yet.
  add column card_token          text, -- kept only until the order is settled
  -- From step 7 on, the parcel is another service's, which may be away when it is asked.
  add column cancel_requested_at timestamptz, -- shipping has to be asked whether the parcel has left
  add constraint orders_card_token_check check (status = 'pending' or card_token is null);

-- From step 4 on, catalog hears how many copies there are. It takes only what is newer,
-- and 1 is what it begins with.
alter table books add column stock_version bigint not null default 1; -- counts what was told of the stock

-- +goose Down
alter table books drop column stock_version;
alter table orders
  drop constraint orders_card_token_check,
  drop column cancel_requested_at,
  drop column card_token;

-- +goose Up

-- When the order was heard of, the last time. The purge goes by it, not by placed_at: an
-- order may be paid or cancelled long after it was placed, and its events come then.
alter table recent_orders add column heard_at timestamptz not null default now();
create index recent_orders_cancelled on recent_orders (heard_at) where cancelled;

-- +goose Down
drop index recent_orders_cancelled;
alter table recent_orders drop column heard_at;

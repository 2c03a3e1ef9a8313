-- +goose Up

-- What the purge looks for.
create index payments_void on payments (created_at) where status = 'void';

-- +goose Down
drop index payments_void;

-- +goose Up

-- What the purge looks for.
create index reservations_refused on reservations (created_at) where status = 'refused';

-- +goose Down
drop index reservations_refused;

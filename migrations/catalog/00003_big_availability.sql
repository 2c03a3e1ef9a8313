-- +goose Up

-- As many as inventory can count.
alter table availability alter column available type bigint;

-- +goose Down
alter table availability alter column available type integer;

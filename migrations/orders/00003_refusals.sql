-- +goose Up
-- refused: a neighbour or the card processor said a definite no that is none of the others.
alter table orders
  drop constraint orders_cancel_reason_check,
  add constraint orders_cancel_reason_check check (cancel_reason in ('declined', 'customer', 'sold_out', 'refused'));

-- +goose Down
update orders
set cancel_reason = 'declined'
where cancel_reason = 'refused';
alter table orders
  drop constraint orders_cancel_reason_check,
  add constraint orders_cancel_reason_check check (cancel_reason in ('declined', 'customer', 'sold_out'));

-- What is there by now is not looked at while customers wait: the constraint is validated
-- after the hold.
alter table monolith.deliveries
  add constraint deliveries_book_id_fkey foreign key (book_id) references monolith.books not valid;

revoke insert, update, delete
  on inventory.stock, inventory.deliveries, inventory.reservations, inventory.reservation_items, inventory.idempotency_keys
  from inventory_app;
grant insert, update, delete on monolith.deliveries to monolith_app;
grant update (stock, stock_version) on monolith.books to monolith_app;

select extract.hand_events('stock', 'inventory', 'monolith');

-- The orders that are noted are those that have changed since the switch. Their
-- reservations and their books' stock follow the orders from now on: what inventory has
-- not heard yet is made up for, and refusals go.
insert into extract.changes (area, root, key)
select distinct 'inventory', 'book', i.book_id::text
from extract.changes n
join monolith.order_items i on i.order_id = n.key::uuid
where n.area = 'inventory' and n.root = 'order';

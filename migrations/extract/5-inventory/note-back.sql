-- inventory_back_order notes the books of an order whose status or whose reservation has
-- changed: the fold looks at both. It notes the order, too, which the fold needs. Nobody
-- takes that note until the area is the monolith's again: then the reservations follow the
-- orders.
create or replace function extract.inventory_back_order() returns trigger
  language plpgsql security definer set search_path = pg_catalog
as $$
declare
  changed uuid := coalesce(to_jsonb(new), to_jsonb(old)) ->> tg_argv[0];
begin
  insert into extract.changes (area, root, key)
  select 'inventory', 'order', changed::text
  union all
  select 'inventory', 'book', book_id::text
  from monolith.order_items
  where order_id = changed;
  return null;
end
$$;

create or replace trigger inventory_back_order
after insert or update of status or delete on monolith.orders
for each row execute function extract.inventory_back_order('id');

create or replace trigger inventory_back_reservation
after insert or update or delete on inventory.reservations
for each row execute function extract.inventory_back_order('order_id');

-- A line of a reservation comes with its book's stock.
create or replace trigger inventory_back_stock
after insert or update or delete on inventory.stock
for each row execute function extract.note('inventory', 'book', 'book_id');

-- A book of which the trunk hears later than inventory.
create or replace trigger inventory_back_book
after insert on monolith.books
for each row execute function extract.note_book('inventory');
-- Deliveries and answered keys never change. They are compared, and need no note.

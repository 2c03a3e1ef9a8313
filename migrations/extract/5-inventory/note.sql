-- inventory_notes_promises notes an order, and the books in it: what the order has been promised
-- counts in their stock, and its books do not change when it is paid.
create or replace function extract.inventory_notes_promises() returns trigger
  language plpgsql security definer set search_path = pg_catalog
as $$
begin
  insert into extract.changes (area, root, key)
  select 'inventory', 'order', coalesce(new.id, old.id)::text
  union all
  select 'inventory', 'book', book_id::text
  from monolith.order_items
  where order_id = coalesce(new.id, old.id);
  return null;
end
$$;

create or replace trigger inventory_notes_book
after insert or delete or update of stock, stock_version on monolith.books
for each row execute function extract.note_book('inventory');

create or replace trigger inventory_notes_order
after insert or update or delete on monolith.orders
for each row execute function extract.inventory_notes_promises();

-- The lines come after their order, and go before it.
create or replace trigger inventory_notes_line
after insert or update or delete on monolith.order_items
for each row execute function extract.note('inventory', 'order', 'order_id');
create or replace trigger inventory_notes_line_book
after insert or update or delete on monolith.order_items
for each row execute function extract.note('inventory', 'book', 'book_id');
-- Deliveries and answered keys never change. They are compared, and need no note.

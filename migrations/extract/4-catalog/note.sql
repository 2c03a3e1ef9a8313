-- A book stands for its availability, too.
create or replace trigger catalog_notes_book
after insert or update or delete on monolith.books
for each row execute function extract.note_book('catalog');

-- The lines of an order never change, so the order's own row is enough.
create or replace trigger catalog_notes_order
after insert or update or delete on monolith.orders
for each row execute function extract.note('catalog', 'order', 'id');

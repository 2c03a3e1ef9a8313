create or replace trigger orders_notes_book
after insert or update or delete on monolith.books
for each row execute function extract.note_book('orders');

create or replace trigger orders_notes_cart
after insert or update or delete on monolith.carts
for each row execute function extract.note('orders', 'cart', 'account_id');
create or replace trigger orders_notes_cart_item
after insert or update or delete on monolith.cart_items
for each row execute function extract.note('orders', 'cart', 'account_id');

create or replace trigger orders_notes_order
after insert or update or delete on monolith.orders
for each row execute function extract.note('orders', 'order', 'id');
create or replace trigger orders_notes_line
after insert or update or delete on monolith.order_items
for each row execute function extract.note('orders', 'order', 'order_id');
-- Answered keys never change. They are compared, and need no note.

create or replace trigger orders_back_book
after insert or update or delete on orders.books
for each row execute function extract.note_book('orders');

create or replace trigger orders_back_cart
after insert or update or delete on orders.carts
for each row execute function extract.note('orders', 'cart', 'account_id');
create or replace trigger orders_back_cart_item
after insert or update or delete on orders.cart_items
for each row execute function extract.note('orders', 'cart', 'account_id');

create or replace trigger orders_back_order
after insert or update or delete on orders.orders
for each row execute function extract.note('orders', 'order', 'id');
create or replace trigger orders_back_line
after insert or update or delete on orders.order_items
for each row execute function extract.note('orders', 'order', 'order_id');
-- Answered keys never change. They are compared, and need no note.

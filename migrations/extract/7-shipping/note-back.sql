create or replace trigger shipping_back_order
after insert or update or delete on shipping.shipments
for each row execute function extract.note('shipping', 'order', 'order_id');

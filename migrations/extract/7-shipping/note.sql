create or replace trigger shipping_notes_order
after insert or update or delete on monolith.shipments
for each row execute function extract.note('shipping', 'order', 'order_id');

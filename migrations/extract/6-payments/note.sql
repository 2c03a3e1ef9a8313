-- A refused order changes with its payment, in one transaction, so the payment is enough.
create or replace trigger payments_notes_order
after insert or update or delete on monolith.payments
for each row execute function extract.note('payments', 'order', 'order_id');

create or replace trigger payments_back_order
after insert or update or delete on payments.payments
for each row execute function extract.note('payments', 'order', 'order_id');

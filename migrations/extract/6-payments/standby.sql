revoke insert, update, delete on payments.payments from payments_app;

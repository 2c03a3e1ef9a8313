revoke insert, update, delete
  on inventory.stock, inventory.deliveries, inventory.reservations, inventory.reservation_items, inventory.idempotency_keys
  from inventory_app;

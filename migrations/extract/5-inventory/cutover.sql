alter table monolith.deliveries drop constraint if exists deliveries_book_id_fkey;

-- The right to write moves, and with it the ownership.
revoke insert, update, delete on monolith.deliveries from monolith_app;
revoke update (stock, stock_version) on monolith.books from monolith_app;
grant insert, update, delete
  on inventory.stock, inventory.deliveries, inventory.reservations, inventory.reservation_items, inventory.idempotency_keys
  to inventory_app;

-- The owner publishes, so the area's events go along.
select extract.hand_events('stock', 'monolith', 'inventory');

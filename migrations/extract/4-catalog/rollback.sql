-- The copy of the books is the catalog again, and complete.
alter table monolith.books
  alter column isbn set not null,
  alter column authors set not null,
  alter column subject set not null,
  alter column words set not null;

-- What is there by now is not looked at while customers wait: the constraint is validated
-- after the hold.
alter table monolith.order_items
  add constraint order_items_book_id_fkey foreign key (book_id) references monolith.books not valid;

revoke insert, update, delete on catalog.books from catalog_app;
revoke insert (id, title, price, version), update (title, price, version, stock, stock_version)
  on monolith.books from monolith_app;
grant insert, update, delete on monolith.books to monolith_app;

select extract.hand_events('book', 'catalog', 'monolith');

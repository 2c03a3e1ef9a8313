-- monolith.books is no longer the catalog's. It becomes orders' copy of the books, which
-- book.added and book.changed keep, and it stays inventory's shelf until step 5. An
-- event does not bring these columns. Without the generated words in this list, an
-- insert on conflict would fail on a book that is there: it makes the row first.
alter table monolith.books
  alter column isbn drop not null,
  alter column authors drop not null,
  alter column subject drop not null,
  alter column words drop not null;

-- A line of an order keeps its title and its price, and needs no book.
alter table monolith.order_items drop constraint if exists order_items_book_id_fkey;

-- The right to write moves, and with it the ownership. The trunk keeps the columns of
-- its copy, and those of the shelf.
revoke insert, update, delete on monolith.books from monolith_app;
grant insert (id, title, price, version), update (title, price, version, stock, stock_version)
  on monolith.books to monolith_app;
grant insert, update, delete on catalog.books to catalog_app;

-- The monolith never tells of books. But events may have come back with a rollback.
select extract.hand_events('book', 'monolith', 'catalog');

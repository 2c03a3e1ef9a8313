-- What catalog says of a book. The stock next to it is the monolith's own, and so are the
-- orders, from which availability and recent sales are derived again before the next switch.
create or replace view extract.catalog_back_books as
select id, isbn, title, authors, subject, publisher, published_on, description, price, version
from catalog.books;

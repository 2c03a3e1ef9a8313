-- A book is split in two: what catalog says of it, and how many there are. words and age
-- are generated in both schemas, and never copied.
create or replace view extract.catalog_books as
select id, isbn, title, authors, subject, publisher, published_on, description, price, version
from monolith.books;

-- Afterwards stock.changed keeps it, by the same count of changes. More than that is
-- neither shown nor told.
create or replace view extract.catalog_availability as
select id as book_id, least(stock, 9007199254740991) as available, stock_version as version
from monolith.books;

-- The sales that the bestsellers are made of. In the monolith they are a join; here they
-- are a read model, which order.paid and order.cancelled keep afterwards.
create or replace view extract.catalog_recent_orders as
select id as order_id, placed_at, status = 'cancelled' as cancelled
from monolith.orders
where status in ('paid', 'shipped', 'cancelled');

create or replace view extract.catalog_recent_order_items as
select i.order_id, i.book_id, i.quantity
from monolith.order_items i
join monolith.orders o on o.id = i.order_id
where o.status in ('paid', 'shipped', 'cancelled');

-- The seven indexes for search and sorting go with their columns.
alter table monolith.books
  drop column if exists words,
  drop column if exists age;
alter table monolith.books
  drop column if exists isbn,
  drop column if exists authors,
  drop column if exists subject,
  drop column if exists publisher,
  drop column if exists published_on,
  drop column if exists description;
-- Only the catalog searches.
drop function if exists monolith.book_query;
drop function if exists monolith.book_words;

-- The seven indexes for search and sorting go with their columns.
alter table monolith.books
  drop column if exists words_old,
  drop column if exists age_old;
alter table monolith.books
  drop column if exists isbn_old,
  drop column if exists authors_old,
  drop column if exists subject_old,
  drop column if exists publisher_old,
  drop column if exists published_on_old,
  drop column if exists description_old;
-- Only the catalog searches.
drop function if exists monolith.book_query;
drop function if exists monolith.book_words;

-- +goose Up

-- The words a search looks through. A function, since array_to_string alone is
-- not immutable and could not feed a generated column.
--
-- Punctuation goes first: the parser would take Node.js for a host, 2.0 for a
-- number and AC/DC for a path, and nobody would find them by js, 0 or DC.
create function book_words(title text, authors text[]) returns tsvector
  language sql immutable parallel safe
  return to_tsvector('simple'::regconfig, translate(
    title || ' ' || array_to_string(authors, ' '),
    '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~',
    repeat(' ', 32)
  ));

-- fillfactor leaves room on each page, so that a sale's update of stock stays
-- on its page and touches none of the indexes.
create table books (
  id           uuid primary key,
  isbn         text not null constraint books_isbn unique,
  title        text not null,
  authors      text[] not null,
  subject      text not null,
  publisher    text,
  published_on date,
  description  text,
  price        bigint not null check (price > 0), -- US cents
  stock        integer not null default 0 constraint books_stock_not_negative check (stock >= 0),
  version      integer not null default 1, -- counts staff edits
  words        tsvector not null generated always as (book_words(title, authors)) stored,
  -- Days before the end of time: ascending is newest first, so that (age, isbn)
  -- compares as one row. Books without a date come last.
  age          integer not null generated always as (date '9999-12-31' - coalesce(published_on, date '0001-01-01')) stored
) with (fillfactor = 85);

create index books_words on books using gin (words);
create index books_by_title on books ((lower(title) collate "C"), isbn);
create index books_by_price on books (price, isbn);
create index books_by_age on books (age, isbn);
create index books_subject_by_title on books (subject, (lower(title) collate "C"), isbn);
create index books_subject_by_price on books (subject, price, isbn);
create index books_subject_by_age on books (subject, age, isbn);

-- +goose Down
drop table books;
drop function book_words;

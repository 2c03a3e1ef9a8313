-- +goose Up

-- Text is kept in NFC, in which an é is one character however it was typed.
update books
set title = normalize(title, NFC), subject = normalize(subject, NFC), publisher = normalize(publisher, NFC),
  description = normalize(description, NFC),
  authors = array(select normalize(name, NFC) from unnest(authors) with ordinality as author (name, place) order by place)
where concat_ws(' ', title, subject, publisher, description, array_to_string(authors, ' ')) is not nfc normalized;

-- A description has 1 to 4,000 characters, and no control characters but tabs and
-- line breaks. White space did not count, and could be any.
update books
set description = translate(description, U&'\000B\000C\0085\2028\2029', repeat(U&'\000A', 5))
where description ~ '[\u000B\u000C\u0085\u2028\u2029]';
update books
set description = btrim(regexp_replace(description, '[\u0009-\u000D\u0020\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000]+', ' ', 'g'))
where char_length(description) > 4000;

-- Search. The words of a query are those that the index makes of it: one function
-- makes both.
--
-- Before the parser sees a text, it becomes lower case; punctuation and pictures
-- become spaces; and the zero-width joiners go, for they say how letters join and
-- separate no words. The parser alone would take Node.js for a host, 2.0 for a number
-- and AC/DC for a path, and nobody would find them by js, 0 or DC. It also takes its
-- letters from the C library: with LC_CTYPE C, which a server with letters of its own
-- may have, all that is not ASCII is a lower-case letter to it, an opening quote too.
alter table books drop column words; -- and its index
drop function book_words;
create function book_words(title text, authors text[]) returns tsvector
  language sql immutable parallel safe
  return to_tsvector('simple'::regconfig, regexp_replace(
    translate(lower(title || ' ' || array_to_string(authors, ' ')), U&'\200C\200D', ''),
    '[!-/:-@[-`{-~' -- ASCII, then Latin 1, what all scripts share, East Asia and pictures
      '\u0080-\u00A9\u00AB-\u00B4\u00B6-\u00B9\u00BB-\u00BF\u00D7\u00F7'
      '\u2000-\u206F\u2190-\u249B\u2500-\u2BFF\u2E00-\u2E7F'
      '\u3000-\u3004\u3008-\u3020\u30FB\uFF01-\uFF0F\uFF1A-\uFF20\uFF3B-\uFF40\uFF5B-\uFF65'
      '\U0001F000-\U0001FAFF]+',
    ' ', 'g'
  ));

-- What finds the books that have all these words, or words that begin with them;
-- null, which finds nothing, if there is no word in the text. No word has a quote in
-- it, so the list 'sea' 'wol' becomes 'sea':* & 'wol':*. One expression, and no
-- subquery: the planner puts it in the place of the call.
create function book_query(words text) returns tsquery
  language sql immutable parallel safe
  return (replace(nullif(strip(book_words(words, '{}'))::text, ''), $$' '$$, $$':* & '$$) || ':*')::tsquery;

alter table books add column words tsvector not null generated always as (book_words(title, authors)) stored;
create index books_words on books using gin (words);

-- +goose Down
alter table books drop column words;
drop function book_query;
drop function book_words;
create function book_words(title text, authors text[]) returns tsvector
  language sql immutable parallel safe
  return to_tsvector('simple'::regconfig, translate(
    title || ' ' || array_to_string(authors, ' '),
    '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~',
    repeat(' ', 32)
  ));
alter table books add column words tsvector not null generated always as (book_words(title, authors)) stored;
create index books_words on books using gin (words);

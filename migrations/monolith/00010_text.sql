-- +goose Up

-- Text is kept in NFC, in which an é is one character however it was typed.
-- Answers under idempotency keys stay as they were given, byte for byte.

-- Two spellings of one address are one account. Where two have registered, the one
-- whose address is in NFC keeps it, or the older one if neither is. The other one is
-- left as it is: it keeps its orders and its mail, but the address signs in to the
-- first. The server's log names it, so that staff can move it to another address.
update accounts a
set email = normalize(a.email, NFC)
from (
  select id, row_number() over (
    partition by lower(normalize(email, NFC))
    order by email is nfc normalized desc, created_at, id
  ) as place
  from accounts
) claim
where claim.id = a.id and claim.place = 1 and a.email is not nfc normalized;
-- +goose StatementBegin
do $$
declare
  other uuid;
begin
  for other in select id from accounts where email is not nfc normalized loop
    raise warning 'account % has an e-mail address that another account has in NFC; nobody can sign in to it', other;
  end loop;
end $$;
-- +goose StatementEnd
update accounts set name = normalize(name, NFC) where name is not nfc normalized;

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

-- What was bought, and where it went.
update order_items set title = normalize(title, NFC) where title is not nfc normalized;
update orders
set shipping_address = (select jsonb_object_agg(key, normalize(value, NFC)) from jsonb_each_text(shipping_address))
where shipping_address::text is not nfc normalized;

update shipments
set address = (select jsonb_object_agg(key, normalize(value, NFC)) from jsonb_each_text(address))
where address::text is not nfc normalized;

update notifications
set to_address = normalize(to_address, NFC), body = normalize(body, NFC)
where to_address is not nfc normalized or body is not nfc normalized;

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

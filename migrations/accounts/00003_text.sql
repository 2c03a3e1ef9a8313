-- +goose Up

-- Text is kept in NFC, in which an é is one character however it was typed.

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

-- +goose Down
-- Text in NFC is right before, too.

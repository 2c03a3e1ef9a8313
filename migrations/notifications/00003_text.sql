-- +goose Up

-- Text is kept in NFC, in which an é is one character however it was typed.

update contacts
set email = normalize(email, NFC), name = normalize(name, NFC)
where email is not nfc normalized or name is not nfc normalized;

update notifications
set to_address = normalize(to_address, NFC), body = normalize(body, NFC)
where to_address is not nfc normalized or body is not nfc normalized;

-- +goose Down
-- Text in NFC is right before, too.

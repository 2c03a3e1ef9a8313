-- +goose Up

-- Text is kept in NFC, in which an é is one character however it was typed.

update shipments
set address = (select jsonb_object_agg(key, normalize(value, NFC)) from jsonb_each_text(address))
where address::text is not nfc normalized;

-- +goose Down
-- Text in NFC is right before, too.

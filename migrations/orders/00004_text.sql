-- +goose Up

-- Text is kept in NFC, in which an é is one character however it was typed.
-- Answers under idempotency keys stay as they were given, byte for byte.

update books set title = normalize(title, NFC) where title is not nfc normalized;

-- What was bought, and where it went.
update order_items set title = normalize(title, NFC) where title is not nfc normalized;
update orders
set shipping_address = (select jsonb_object_agg(key, normalize(value, NFC)) from jsonb_each_text(shipping_address))
where shipping_address::text is not nfc normalized;

-- +goose Down
-- Text in NFC is right before, too.

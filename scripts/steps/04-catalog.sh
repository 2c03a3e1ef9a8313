#!/usr/bin/env bash
# Step 4: catalog leaves. Carts read a copy of the books, and catalog a copy of the stock. Events keep both.
set -euo pipefail
step=4
. "$(dirname "$0")/parts.sh"
climb "$@"
look

# reprice gives the book its new price, in the shop that gateway names.
reprice() {
  local etag
  sign_in staff@banyan.example banyan-staff
  etag=$(curl -sS -D - -o /dev/null "$gateway/v1/books/$book" | tr -d '\r' | sed -n 's/^[Ee][Tt]ag: //p')
  curl -sS --fail-with-body -X PATCH "$gateway/v1/books/$book" -H "Authorization: Bearer $token" -H "If-Match: $etag" \
    -H 'Content-Type: application/json' -d "{\"price\":{\"amount\":$price,\"currency\":\"USD\"}}"
}

say 'a new price: catalog has it at once, and the copy in the trunk when the event has come'
book=$(sql -At -c 'select id from catalog.books order by id limit 1')
price=$((1000 + RANDOM % 1000))
reprice
echo
await "select m.price = $price and m.version = c.version from catalog.books c join monolith.books m using (id) where id = '$book'"
sql -c "select c.price as catalog, c.version, m.price as copy, m.version as of_copy
  from catalog.books c join monolith.books m using (id) where id = '$book'"
# The monolith beside it gets the same price, for verify compares the two shops.
(gateway=$(state monolith_url) && reprice >/dev/null)

say 'the other way: that purchase took a copy off the shelf, and catalog has heard how many are left'
order=$(sql -At -c 'select id from monolith.orders order by id desc limit 1')
sold=$(sql -At -c "select book_id from monolith.order_items where order_id = '$order'")
current="select a.version = m.stock_version from catalog.availability a join monolith.books m on m.id = a.book_id where m.id = '$sold'"
await "$current"
copies="select m.stock as shelf, m.stock_version as version, a.available as catalog, a.version as of_copy
  from monolith.books m join catalog.availability a on a.book_id = m.id where m.id = '$sold'"
sql -c "select data as stock_changed from monolith.outbox where type = 'stock.changed' order by position desc limit 1"
sql -c "$copies"

say 'catalog is frozen, and somebody buys all the same: cart and checkout read the copy'
sign_in
freeze catalog
shop PUT "/v1/cart/items/$sold" '{"quantity":1}' >/dev/null
shop POST /v1/orders '{"payment":{"token":"tok_visa"},"shipping_address":
  {"name":"Banyan Reader","street":"1 Fig Tree Lane","city":"Bayonne","postcode":"64100","country":"FR"}}'
echo
sql -c "$copies"

say 'catalog goes on, and hears of the sale'
thaw
await "$current"
sql -c "$copies"

prove

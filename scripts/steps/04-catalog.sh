#!/usr/bin/env bash
# Step 4: catalog leaves. Carts read a copy of the books, which events keep.
set -euo pipefail
step=4
. "$(dirname "$0")/parts.sh"
climb "$@"
look

say 'a new price: the catalog has it at once, and the copy when the event has come'
sign_in staff@banyan.example banyan-staff
book=$(sql -At -c 'select id from catalog.books order by id limit 1')
etag=$(curl -sS -D - -o /dev/null "$gateway/v1/books/$book" | tr -d '\r' | sed -n 's/^[Ee][Tt]ag: //p')
price=$((1000 + RANDOM % 1000))
curl -sS --fail-with-body -X PATCH "$gateway/v1/books/$book" -H "Authorization: Bearer $token" -H "If-Match: $etag" \
  -H 'Content-Type: application/json' -d "{\"price\":{\"amount\":$price,\"currency\":\"USD\"}}"
await "select price = $price from monolith.books where id = '$book'"
sql -c "select c.price as catalog, m.price as copy, c.version, m.version as of_copy
  from catalog.books c join monolith.books m using (id) where id = '$book'"

prove

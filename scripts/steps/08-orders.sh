#!/usr/bin/env bash
# Step 8: orders leaves, and the trunk is gone. The saga is the one that the trunk has run since step 7.
set -euo pipefail
. "$(dirname "$0")/parts.sh"

say 'before: step 7, where carts and orders are still the trunk'\''s'
start 7 "$@"
sign_in ${live:+reader2@banyan.example} # lab buy is reader1
shop PUT "/v1/cart/items/$(sql -At -c 'select book_id from inventory.stock where on_hand > reserved order by book_id limit 1')" \
  '{"quantity":2}' >"$built/filled"
shop GET /v1/cart | tee "$built/cart-before"
shop GET '/v1/orders?limit=5' >"$built/orders-before"
counted="(select count(*) from %s.orders) as orders, (select count(*) from %s.order_items) as lines,
  (select count(*) from %s.carts) as carts, (select count(*) from %s.cart_items) as cart_items"
sql -c "select ${counted//%s/monolith}" | tee "$built/rows-before"

step=8
if [[ $live ]]; then
  leave
else
  kill -TERM "$started"
  wait "$started" || true
  started=
  climb
fi

say 'after: no trunk among the processes'
[[ -z $(pid trunk) ]]
sed -n 's/^ *"name": "\(.*\)",$/\1/p' "$LAB_DIR/state.json" | paste -sd ' ' -

say 'the carts and orders of before: as many rows, unless somebody bought meanwhile, and the customer sees the same, in the
session of before'
sql -c "select ${counted//%s/orders}" | tee "$built/rows-after"
[[ $live ]] || cmp "$built/rows-before" "$built/rows-after"
shop GET /v1/cart | tee "$built/cart-after"
cmp "$built/cart-before" "$built/cart-after"
shop GET '/v1/orders?limit=5' | cmp "$built/orders-before" -

look

say 'one purchase in the schemas of four services'
sql -c "select o.status as order, r.status as stock, p.status as payment, s.status as shipment
  from orders.orders o
  join inventory.reservations r on r.order_id = o.id
  join payments.payments p on p.order_id = o.id
  join shipping.shipments s on s.order_id = o.id
  order by o.id desc limit 1"

say 'what the trunk'\''s checkout has more, without comments: the near lines'
diff -U0 -w monolith/orders/checkout.go services/orders/checkout.go | sed 1,2d | grep '^[-+]' | grep -Ev '^[-+][[:space:]]*(//|$)' || true

prove

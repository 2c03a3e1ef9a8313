#!/usr/bin/env bash
# Step 5: inventory leaves. Stock is reserved by a call, and leaves the shelf by an event.
set -euo pipefail
step=5
. "$(dirname "$0")/parts.sh"
climb "$@"
look

# reserved shows what the order was promised, and the shelf.
reserved() {
  sql -c "select o.status as order, r.status as reservation, i.quantity, s.on_hand, s.reserved, s.on_hand - s.reserved as available
    from monolith.orders o
    join monolith.order_items i on i.order_id = o.id
    join inventory.stock s on s.book_id = i.book_id
    left join inventory.reservations r on r.order_id = o.id
    where o.id = '$1'"
}

say 'the reservation of that purchase: committed, once order.paid has come'
order=$(sql -At -c 'select id from monolith.orders order by id desc limit 1')
book=$(sql -At -c "select book_id from monolith.order_items where order_id = '$order'")
await "select status = 'committed' from inventory.reservations where order_id = '$order'"
reserved "$order"

say 'inventory is frozen, and somebody buys: 202, for nobody knows yet whether the copy is theirs'
sign_in
shop PUT "/v1/cart/items/$book" '{"quantity":1}' >/dev/null
freeze inventory
shop POST /v1/orders '{"payment":{"token":"tok_visa"},"shipping_address":
  {"name":"Banyan Reader","street":"1 Fig Tree Lane","city":"Bayonne","postcode":"64100","country":"FR"}}'
echo
order=$(sql -At -c 'select id from monolith.orders order by id desc limit 1')
await "select status = 'pending' from monolith.orders where id = '$order'"
reserved "$order"

say 'inventory goes on: the sweeper asks again under the same order, and settles it'
thaw
await "select o.status = 'paid' and r.status = 'committed'
  from monolith.orders o join inventory.reservations r on r.order_id = o.id where o.id = '$order'"
reserved "$order"
sql -c "select count(*) as reservations from inventory.reservations where order_id = '$order'"

prove

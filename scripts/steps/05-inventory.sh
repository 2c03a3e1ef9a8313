#!/usr/bin/env bash
# Step 5: inventory leaves. Stock is reserved by a call, and leaves the shelf by an event.
set -euo pipefail
step=5
. "$(dirname "$0")/parts.sh"
climb "$@"
look

say 'the reservation of that purchase: committed, once order.paid has come'
order=$(sql -At -c 'select id from monolith.orders order by id desc limit 1')
await "select status = 'committed' from inventory.reservations where order_id = '$order'"
sql -c "select r.status, i.quantity, s.on_hand, s.reserved
  from inventory.reservations r join inventory.reservation_items i using (order_id) join inventory.stock s using (book_id)
  where r.order_id = '$order'"

prove

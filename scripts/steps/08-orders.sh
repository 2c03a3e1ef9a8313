#!/usr/bin/env bash
# Step 8: orders leaves, and the monolith is gone. Checkout is the saga that it has been since step 7.
set -euo pipefail
step=8
. "$(dirname "$0")/parts.sh"
climb "$@"
look

say 'one purchase in the schemas of four services'
sql -c "select o.status as order, r.status as stock, p.status as payment, s.status as shipment
  from orders.orders o
  join inventory.reservations r on r.order_id = o.id
  join payments.payments p on p.order_id = o.id
  left join shipping.shipments s on s.order_id = o.id
  order by o.id desc limit 1"

prove

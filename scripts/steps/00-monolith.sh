#!/usr/bin/env bash
# Step 0: the whole shop in one process, on the services' side too. Nothing has left.
set -euo pipefail
step=0
. "$(dirname "$0")/parts.sh"
climb "$@"
look

say 'one schema, and one transaction that marked order and payment, and wrote shipment and mail'
sql -c "select o.status as order, p.status as payment, s.status as shipment, n.kind as mail
  from monolith.orders o
  join monolith.payments p on p.order_id = o.id
  join monolith.shipments s on s.order_id = o.id
  join monolith.notifications n on n.order_id = o.id
  order by o.id desc limit 1"

prove

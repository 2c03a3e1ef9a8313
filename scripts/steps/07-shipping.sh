#!/usr/bin/env bash
# Step 7: shipping leaves. Parcels follow orders by events; to keep one in the house is a call.
set -euo pipefail
step=7
. "$(dirname "$0")/parts.sh"
climb "$@"
look

say 'a wish to cancel: noted first, then shipping keeps the parcel in the house'
sign_in
order=$(sql -At -c "select id from monolith.orders where status = 'paid' order by id desc limit 1")
shop POST "/v1/orders/$order/cancel"
await "select status = 'cancelled' from shipping.shipments where order_id = '$order'"
sql -c "select o.status as order, s.status as shipment
  from monolith.orders o join shipping.shipments s on s.order_id = o.id where o.id = '$order'"

prove

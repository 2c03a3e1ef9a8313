#!/usr/bin/env bash
# Step 7: shipping leaves. A parcel follows an event, and a cancellation is a wish that is noted and then asked.
set -euo pipefail
step=7
. "$(dirname "$0")/parts.sh"
climb "$@"
look

say 'the parcel of that purchase: nobody asked shipping for it, it heard order.paid'
order=$(sql -At -c "select id from monolith.orders where status = 'paid' order by id desc limit 1")
await "select exists (select from shipping.shipments where order_id = '$order')"
sql -c "select e.type, i.consumer, s.status as shipment, s.created_at - e.created_at as after
  from monolith.outbox e
  join shipping.inbox i on i.event_id = e.id
  join shipping.shipments s on s.order_id::text = e.data ->> 'order_id'
  where e.type = 'order.paid' and e.data ->> 'order_id' = '$order'"

say 'shipping is frozen, and the customer cancels'
sign_in
freeze shipping
status=$(curl -sS -o "$built/answer" -w '%{http_code}' -X POST "$gateway/v1/orders/$order/cancel" -H "Authorization: Bearer $token")
echo "the customer gets $status:"
cat "$built/answer"; echo
[[ $status == 503 ]]

say 'the order is still paid, for the parcel may have left; but the wish stands'
sql -c "select status, cancel_requested_at from monolith.orders where id = '$order'"
[[ $(sql -At -c "select status = 'paid' and cancel_requested_at is not null from monolith.orders where id = '$order'") == t ]]

say 'shipping goes on; nobody asks again but the sweeper, and the wish is carried out'
thaw
await "select status = 'cancelled' from monolith.orders where id = '$order'"
await "select status = 'refunded' from payments.payments where order_id = '$order'"
sql -c "select o.status as order, o.cancel_reason, o.cancel_requested_at, s.status as shipment, p.status as payment, r.status as stock
  from monolith.orders o
  join shipping.shipments s on s.order_id = o.id
  join payments.payments p on p.order_id = o.id
  join inventory.reservations r on r.order_id = o.id
  where o.id = '$order'"

prove

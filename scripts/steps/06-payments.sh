#!/usr/bin/env bash
# Step 6: payments leaves. A charge is a call that can be repeated under one key, and a refund follows an event.
set -euo pipefail
step=6
. "$(dirname "$0")/parts.sh"

# ledger prints what the card processor did with the money of an order.
ledger() { curl -sS --fail-with-body "$(state outside_url)/ledger?merchant=services" | grep "$1" || true; }

climb "$@"
look

say 'the order is in one schema and its payment in another; both have forgotten the card'
sql -c "select o.status as order, o.card_token is not null as order_has_card,
    p.status as payment, p.card_token is not null as payment_has_card
  from monolith.orders o join payments.payments p on p.order_id = o.id order by o.id desc limit 1"

say 'somebody buys with a card that takes 2 s, and payments is frozen while the processor charges it'
sign_in
book=$(sql -At -c 'select book_id from inventory.stock where on_hand - reserved > 0 order by book_id limit 1')
shop PUT "/v1/cart/items/$book" '{"quantity":1}' >"$built/cart"
pending="from monolith.orders o join payments.payments p on p.order_id = o.id where o.status = 'pending'"
curl -sS -o "$built/answer" -w '%{http_code}' -X POST "$gateway/v1/orders" -H "Authorization: Bearer $token" \
  -H "Idempotency-Key: $RANDOM$RANDOM$RANDOM" -H 'Content-Type: application/json' \
  -d '{"payment":{"token":"tok_slow"},"shipping_address":{"name":"R. Reader","street":"Long Lane 6","city":"Wells","postcode":"BA5","country":"GB"}}' \
  >"$built/status" &
buying=$!
await "select exists (select $pending)"
freeze payments
order=$(sql -At -c "select o.id $pending")
wait "$buying"
echo "the customer gets $(cat "$built/status"):"
cat "$built/answer"; echo
[[ $(cat "$built/status") == 202 ]]

say 'the money is taken, as the ledger says; the shop does not know yet, so it keeps the card to ask again'
ledger "$order"
sql -c "select o.status as order, o.card_token is not null as order_has_card, p.status as payment
  from monolith.orders o join payments.payments p on p.order_id = o.id where o.id = '$order'"

say 'payments goes on; the sweeper asks again under the same key, and the order is paid'
thaw
await "select status = 'paid' from monolith.orders where id = '$order'"
sql -c "select o.status as order, o.card_token is not null as order_has_card, p.status as payment
  from monolith.orders o join payments.payments p on p.order_id = o.id where o.id = '$order'"

say 'one charge in the ledger of the card processor, however often it was asked for'
ledger "$order"
[[ $(ledger "$order" | grep -c '"effect":"charge"') == 1 ]]

say 'the customer cancels: payments hears of it by order.cancelled, and gives the money back'
shop POST "/v1/orders/$order/cancel"
await "select status = 'refunded' from payments.payments where order_id = '$order'"
sql -c "select e.type, e.data ->> 'reason' as reason, i.handled_at is not null as payments_has_handled_it
  from monolith.outbox e left join payments.inbox i on i.event_id = e.id
  where e.data ->> 'order_id' = '$order' order by e.position"
ledger "$order"
[[ $(ledger "$order" | grep -c '"effect":"refund"') == 1 ]]

prove

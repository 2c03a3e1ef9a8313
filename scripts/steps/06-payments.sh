#!/usr/bin/env bash
# Step 6: payments leaves. A charge is a call that can be repeated, under the order's id.
set -euo pipefail
step=6
. "$(dirname "$0")/parts.sh"
climb "$@"
look

say 'the order is in one schema, its payment in another, and they agree; the card token is forgotten'
sql -c "select o.status as order, o.card_token as token_of_order, p.status as payment, p.card_token as token_of_payment
  from monolith.orders o join payments.payments p on p.order_id = o.id order by o.id desc limit 1"

prove

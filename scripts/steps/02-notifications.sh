#!/usr/bin/env bash
# Step 2: mail leaves. Its cause becomes an event in an outbox, and no purchase waits for notifications any more.
set -euo pipefail
step=2
. "$(dirname "$0")/parts.sh"
climb "$@"
look

say 'the outbox, the inbox and the mail of that purchase: three tables, in two transactions'
sql -c "select type, stream_seq, data ->> 'order_id' as order_id from monolith.outbox order by position desc limit 1"
sql -c "select consumer, event_id from notifications.inbox order by handled_at desc limit 1"
sql -c "select kind, status, order_id from notifications.notifications order by id desc limit 1"

say 'notifications is frozen, and somebody buys: the order is paid, and the event waits in the stream'
told="select count(*) from monolith.outbox where type = 'order.paid' and stream_seq is not null"
before=$(sql -At -c "$told")
freeze notifications
lab buy --only services &
buying=$!
await "select ($told) > $before"
sql -c "select o.status, e.type, e.stream_seq,
    exists (select from notifications.notifications n where n.order_id = o.id) as has_mail
  from monolith.orders o join monolith.outbox e on e.data ->> 'order_id' = o.id::text
  order by o.id desc limit 1"

say 'notifications goes on, and the mail arrives'
thaw
wait "$buying"

prove

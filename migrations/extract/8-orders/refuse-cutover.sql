-- There is no relay of the old owner afterwards, so its last look must have come to the end.
select 'an event of an order is not published yet' as why,
  'Let the trunk publish its events before it ends; if the broker is away, start the broker again.' as "do",
  type || ' ' || id as row
from monolith.outbox
where stream_seq is null
  and created_at <= clock_timestamp() - $1::interval
order by position

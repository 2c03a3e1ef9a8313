-- The tables of package events (internal/events), the same in each service's
-- schema: the source is internal/events/schema.sql, and a test there compares
-- the copies.

-- +goose Up

-- What this service has to tell the others. A row is written in the transaction
-- of the change it tells of, so the two exist together or not at all.
create table outbox (
  id           uuid primary key, -- the event's id, also for the broker
  -- In about the order of the commits, and for nothing but that order. A
  -- position may become visible after a higher one, so nobody may ever remember
  -- how far they have read: each row is marked for itself.
  position     bigint generated always as identity,
  type         text not null check (type ~ '^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$'), -- a part of a subject
  data         json not null check (octet_length(data::text) <= 524288), -- the broker takes messages of 1 MB
  trace        text not null, -- traceparent, '' if there was none
  created_at   timestamptz not null default clock_timestamp(), -- close to the commit; now() would be the transaction's start
  stream_seq   bigint, -- where the stream has it; null: to be published
  published_at timestamptz -- the first time, even if the stream lost it and it was published again
);
-- Only what is to be published: small, however many rows are kept.
create index outbox_unpublished on outbox (position) where stream_seq is null;
create index outbox_published on outbox (stream_seq) where stream_seq is not null;

-- What this service has dealt with, written in the transaction of the effect.
create table inbox (
  consumer   text not null,
  event_id   uuid not null,
  handled_at timestamptz not null default now(),
  primary key (consumer, event_id)
);
-- Only for throwing out the old; the rows lie in that order, so this index is tiny.
create index inbox_handled_at on inbox using brin (handled_at);

-- Events that this service rejected, whole, as they came from the broker.
create table dead_letters (
  consumer    text not null,
  event_id    uuid not null, -- made from the content if the event had none that can be read
  type        text not null, -- '' if it had none
  subject     text not null,
  headers     json not null, -- name → values
  body        bytea not null, -- need not be JSON
  error       text not null, -- why, the last time
  attempts    int not null default 1,
  died_at     timestamptz not null default now(), -- the last time
  replay_at   timestamptz, -- try it again, not before this; null: nobody asked
  replayed_at timestamptz, -- handled after all
  primary key (consumer, event_id)
);
create index dead_letters_replay_at on dead_letters (consumer, replay_at) where replay_at is not null;

-- +goose Down
drop table dead_letters;
drop table inbox;
drop table outbox;

-- What all extractions share; a superuser runs it once per database.
--
-- While an area leaves the monolith, its data exist twice. Triggers on the owner's
-- tables note which rows have changed, and one copier brings the other side's tables up
-- to date from the notes. A trigger that wrote the other side's tables itself would make
-- their constraints and their locks a matter of each customer's request. This one
-- appends a line.
--
-- The owner is the monolith until the cutover, and the service afterwards. The cutover
-- turns the triggers round, so until the area is finalized there is a way back.

create schema extract;

-- Where each area stands. No row: it is in the monolith, and nothing has begun.
create table extract.areas (
  area     text primary key,
  owner    text not null, -- who may write: 'monolith', or the area's service
  stage    text not null, -- noted, copied, cut over, finalizing, finalized
  checksum text not null, -- of the area's SQL; data that older SQL has moved may differ
  since    timestamptz not null default now()
);

-- What has changed since it was copied. The key names the root of an aggregate: an
-- order stands for its lines, too. The copier derives the rows again by a view; a key
-- that the view does not have is a row that is gone.
--
-- A logged table: after a crash PostgreSQL empties an unlogged one, and the changes
-- noted there would be lost.
create table extract.changes (
  id   bigint generated always as identity primary key,
  area text not null,
  root text not null,
  key  text not null
);

-- How far the first copy of each root has come. A copier that was killed goes on there.
create table extract.progress (
  area   text not null,
  root   text not null,
  upto   text,            -- the last key that is copied
  copied bigint not null, -- roots
  total  bigint not null, -- roots there were at the beginning
  done   boolean not null,
  primary key (area, root)
);

-- note is the trigger of most tables. Its arguments are the area, the root and the
-- column that holds the key. It runs with its owner's rights, so that no application
-- needs a right here.
create function extract.note() returns trigger
  language plpgsql security definer set search_path = pg_catalog
as $$
begin
  insert into extract.changes (area, root, key)
  select distinct tg_argv[0], tg_argv[1], key
  from unnest(array[to_jsonb(old) ->> tg_argv[2], to_jsonb(new) ->> tg_argv[2]]) as key -- old or new may be null
  where key is not null;
  return null;
end
$$;

-- note_book is the same for books: their rows are wide, and to turn them into JSON twice
-- would cost each sale more than the note.
create function extract.note_book() returns trigger
  language plpgsql security definer set search_path = pg_catalog
as $$
begin
  insert into extract.changes (area, root, key)
  values (tg_argv[0], 'book', coalesce(new.id, old.id)::text);
  return null;
end
$$;

-- hand_events moves the events about something from one outbox to another, with their
-- marks, published or not. The relay of an owner publishes what is not, and compares what
-- is with the stream, so the events belong where the right to write is.
create function extract.hand_events(about text, giver text, taker text) returns void
  language plpgsql set search_path = pg_catalog
as $$
begin
  execute format($move$
    with moved as (
      delete from %I.outbox
      where starts_with(type, %L)
      returning *
    )
    insert into %I.outbox (id, type, data, trace, created_at, stream_seq, published_at)
    select id, type, data, trace, created_at, stream_seq, published_at
    from moved
    order by position
  $move$, giver, about || '.', taker);
end
$$;

-- uuid_v7 is an id as the applications make it: the time in milliseconds, then chance.
-- Its version is that of a random one, 4, with two bits more.
create function extract.uuid_v7() returns uuid
  language sql volatile set search_path = pg_catalog
as $$
  select encode(
    set_bit(set_bit(
      overlay(
        uuid_send(gen_random_uuid())
        placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)
        from 1 for 6),
      52, 1), 53, 1),
    'hex')::uuid
$$;

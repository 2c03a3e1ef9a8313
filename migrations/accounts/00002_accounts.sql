-- +goose Up
create table accounts (
  id            uuid primary key,
  email         text not null,
  name          text not null,
  password_hash text not null,
  role          text not null check (role in ('customer', 'staff')),
  created_at    timestamptz not null
);
-- Two spellings of one address are one account.
create unique index accounts_email on accounts (lower(email));

create table sessions (
  token_hash bytea primary key, -- SHA-256; a stolen table signs nobody in
  account_id uuid not null references accounts,
  created_at timestamptz not null,
  expires_at timestamptz not null
);
create index sessions_expires_at on sessions (expires_at);

-- +goose Down
drop table sessions;
drop table accounts;

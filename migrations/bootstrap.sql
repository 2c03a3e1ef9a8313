-- Roles, schemas and grants. A superuser runs this once per database, before
-- any migration; running it again changes nothing. Roles belong to the whole
-- cluster, schemas to this database. Passwords are set by whoever runs the
-- cluster, never here.
--
-- Each schema has two roles. The owner migrates. The app role reads and writes
-- rows of its own schema and can do nothing else: another schema's table is
-- answered with 42501, insufficient_privilege.

do $$
declare
  area text;
begin
  -- Whoever bootstraps another database of the cluster at the same time would
  -- meet this one at the roles. An advisory lock belongs to one database; a lock
  -- on the catalogs that all databases share holds in each of them.
  lock table pg_authid, pg_db_role_setting in share row exclusive mode;

  foreach area in array array[
    'monolith', 'accounts', 'catalog', 'inventory', 'orders', 'payments', 'shipping', 'notifications'
  ] loop
    if not exists (select from pg_roles where rolname = area || '_owner') then
      execute format('create role %I login', area || '_owner');
    end if;
    if not exists (select from pg_roles where rolname = area || '_app') then
      execute format('create role %I login', area || '_app');
    end if;

    execute format('create schema if not exists %I authorization %I', area, area || '_owner');
    execute format('grant usage on schema %I to %I', area, area || '_app');
    execute format('alter default privileges for role %I in schema %I grant select, insert, update, delete on tables to %I',
      area || '_owner', area, area || '_app');
    execute format('alter default privileges for role %I in schema %I grant usage, select on sequences to %I',
      area || '_owner', area, area || '_app');

    -- SQL names no schema; the role's search_path does.
    execute format('alter role %I set search_path = %I', area || '_owner', area);
    execute format('alter role %I set search_path = %I', area || '_app', area);

    -- Nothing may wait for ever: not a statement, not a lock, not a client that went away.
    execute format('alter role %I set statement_timeout = ''5s''', area || '_app');
    execute format('alter role %I set lock_timeout = ''2s''', area || '_app');
    execute format('alter role %I set idle_in_transaction_session_timeout = ''5s''', area || '_app');
    execute format('alter role %I set lock_timeout = ''10s''', area || '_owner');
  end loop;

  execute format('revoke all on database %I from public', current_database());
  foreach area in array array[
    'monolith', 'accounts', 'catalog', 'inventory', 'orders', 'payments', 'shipping', 'notifications'
  ] loop
    execute format('grant connect on database %I to %I, %I', current_database(), area || '_owner', area || '_app');
  end loop;
  revoke all on schema public from public;
end
$$;

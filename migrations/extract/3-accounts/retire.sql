alter table monolith.sessions rename to sessions_old;
alter table monolith.accounts rename to accounts_old;

drop table if exists monolith.sessions_old;
drop table if exists monolith.accounts_old;

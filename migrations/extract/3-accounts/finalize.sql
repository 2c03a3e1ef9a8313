drop table if exists monolith.sessions;
drop table if exists monolith.accounts;

-- Both come back as they are: who has signed in at the service stays signed in.
create or replace view extract.accounts_back_accounts as
select id, email, name, password_hash, role, created_at
from accounts.accounts;

create or replace view extract.accounts_back_sessions as
select token_hash, account_id, created_at, expires_at
from accounts.sessions;

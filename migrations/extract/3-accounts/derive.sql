-- Both move as they are. The hashes of the session tokens go along, so nobody has to
-- sign in again.
create or replace view extract.accounts_accounts as
select id, email, name, password_hash, role, created_at
from monolith.accounts;

create or replace view extract.accounts_sessions as
select token_hash, account_id, created_at, expires_at
from monolith.sessions;

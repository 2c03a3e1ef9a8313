create or replace trigger accounts_back_account
after insert or update or delete on accounts.accounts
for each row execute function extract.note('accounts', 'account', 'id');

create or replace trigger accounts_back_session
after insert or update or delete on accounts.sessions
for each row execute function extract.note('accounts', 'session', 'token_hash');

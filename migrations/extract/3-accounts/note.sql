create or replace trigger accounts_notes_account
after insert or update or delete on monolith.accounts
for each row execute function extract.note('accounts', 'account', 'id');

create or replace trigger accounts_notes_session
after insert or update or delete on monolith.sessions
for each row execute function extract.note('accounts', 'session', 'token_hash');

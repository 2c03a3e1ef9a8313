revoke insert, update, delete on accounts.accounts, accounts.sessions from accounts_app;

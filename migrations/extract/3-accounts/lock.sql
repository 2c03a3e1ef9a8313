-- Nobody writes by now. A killed process's transaction may still commit, on either side,
-- and is waited for.
lock table monolith.accounts, monolith.sessions, accounts.accounts, accounts.sessions
  in share row exclusive mode;

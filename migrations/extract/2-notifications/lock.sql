-- Nobody writes by now. A killed process's transaction may still commit, on either side,
-- and is waited for.
lock table monolith.accounts, monolith.notifications, notifications.notifications
  in share row exclusive mode;

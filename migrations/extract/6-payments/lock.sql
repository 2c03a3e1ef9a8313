-- Nobody writes by now. A killed process's transaction may still commit, and is waited for.
lock table monolith.orders, monolith.payments in share row exclusive mode;

-- Nobody writes by now. A killed process's transaction may still commit, and is waited for.
lock table monolith.shipments in share row exclusive mode;

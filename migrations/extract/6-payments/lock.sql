-- Nobody writes by now. A killed process's transaction may still commit, on either side,
-- and is waited for.
lock table monolith.orders, monolith.payments, payments.payments in share row exclusive mode;

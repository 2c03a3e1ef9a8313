-- Nobody writes by now. A killed process's transaction may still commit, and is waited for.
lock table monolith.books, monolith.orders, monolith.order_items in share row exclusive mode;

-- Availability and the recent sales stay writable, for events will keep them.
revoke insert, update, delete on catalog.books from catalog_app;

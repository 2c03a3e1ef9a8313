alter table monolith.books rename column stock to stock_old;
alter table monolith.books rename column stock_version to stock_version_old;
alter table monolith.deliveries rename to deliveries_old;

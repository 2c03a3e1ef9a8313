-- register

-- a batch:
insert into accounts (id, email, name, password_hash, role, created_at) values (@id, @email, @name, @password_hash, @role, @created_at);
insert into notifications (id, account_id, kind, to_address, subject, body) values (@id, @account_id, @kind, @to, @subject, @body);

-- fill the cart

select a.id, a.role, s.expires_at from sessions s join accounts a on a.id = s.account_id where s.token_hash = $1 and s.expires_at > now();

-- a batch:
insert into carts (account_id) values ($1) on conflict (account_id) do update set version = carts.version + 1;
insert into cart_items (account_id, book_id, quantity) select $1, $2, case when count(*) < $4 or bool_or(book_id = $2) then $3::integer end from cart_items where account_id = $1 on conflict (account_id, book_id) do update set quantity = excluded.quantity;
select c.version, i.book_id, b.title, i.quantity, b.price, b.stock from carts c join cart_items i on i.account_id = c.account_id join books b on b.id = i.book_id where c.account_id = $1 order by i.book_id;

-- checkout

select a.id, a.role, s.expires_at from sessions s join accounts a on a.id = s.account_id where s.token_hash = $1 and s.expires_at > now();

-- a batch:
select c.version, i.book_id, b.title, i.quantity, b.price, b.stock from carts c join cart_items i on i.account_id = c.account_id join books b on b.id = i.book_id where c.account_id = $1 order by i.book_id;
select about, claimed_at < now() - $5::interval as expired, fingerprint, coalesce(status, 0), coalesce(location, ''), coalesce(content_type, ''), body from idempotency_keys where account_id = $1 and method = $2 and path = $3 and key = $4;

-- a batch:
insert into idempotency_keys (account_id, method, path, key, fingerprint, about) values ($1, $2, $3, $4, $5, $6);
insert into orders (id, account_id, status, total, shipping_address, placed_at) values ($1, $2, $3, $4, $5, $6);
insert into order_items (order_id, position, book_id, title, quantity, unit_price) values ($1, $2, $3, $4, $5, $6);
update carts set version = case version when $2 then version end where account_id = $1;
insert into payments (id, order_id, account_id, status, amount, card_token, created_at) values ($1, $2, $3, 'pending', $4, $5, now());
update books set stock = stock - $2 where id = $1;

-- a batch:
update orders set status = case status when $2 then $3 end, cancel_reason = nullif($4, '') where id = $1;
update payments set status = $2, card_token = null where order_id = $1 and status = 'pending';
insert into shipments (id, order_id, account_id, status, address, created_at) values ($1, $2, $3, 'preparing', $4, now());
insert into notifications (id, account_id, order_id, kind, to_address, subject, body) values (@id, @account_id, @order_id, @kind, (select email from accounts where id = @account_id), @subject, @body);
insert into carts (account_id) values ($1) on conflict (account_id) do update set version = carts.version + 1;
delete from cart_items c using order_items i where i.order_id = $2 and c.account_id = $1 and c.book_id = i.book_id and c.quantity <= i.quantity;
update cart_items c set quantity = c.quantity - i.quantity from order_items i where i.order_id = $2 and c.account_id = $1 and c.book_id = i.book_id;
update idempotency_keys set status = $5, location = nullif($6, ''), content_type = $7, body = $8, about = case when status is null then about end where account_id = $1 and method = $2 and path = $3 and key = $4;

-- checkout, declined

select a.id, a.role, s.expires_at from sessions s join accounts a on a.id = s.account_id where s.token_hash = $1 and s.expires_at > now();

-- a batch:
select c.version, i.book_id, b.title, i.quantity, b.price, b.stock from carts c join cart_items i on i.account_id = c.account_id join books b on b.id = i.book_id where c.account_id = $1 order by i.book_id;
select about, claimed_at < now() - $5::interval as expired, fingerprint, coalesce(status, 0), coalesce(location, ''), coalesce(content_type, ''), body from idempotency_keys where account_id = $1 and method = $2 and path = $3 and key = $4;

-- a batch:
insert into idempotency_keys (account_id, method, path, key, fingerprint, about) values ($1, $2, $3, $4, $5, $6);
insert into orders (id, account_id, status, total, shipping_address, placed_at) values ($1, $2, $3, $4, $5, $6);
insert into order_items (order_id, position, book_id, title, quantity, unit_price) values ($1, $2, $3, $4, $5, $6);
update carts set version = case version when $2 then version end where account_id = $1;
insert into payments (id, order_id, account_id, status, amount, card_token, created_at) values ($1, $2, $3, 'pending', $4, $5, now());
update books set stock = stock - $2 where id = $1;

-- a batch:
update orders set status = case status when $2 then $3 end, cancel_reason = nullif($4, '') where id = $1;
update payments set status = $2, card_token = null where order_id = $1 and status = 'pending';
update books set stock = stock - $2 where id = $1;
update idempotency_keys set status = $5, location = nullif($6, ''), content_type = $7, body = $8, about = case when status is null then about end where account_id = $1 and method = $2 and path = $3 and key = $4;

-- checkout, refused by the processor

select a.id, a.role, s.expires_at from sessions s join accounts a on a.id = s.account_id where s.token_hash = $1 and s.expires_at > now();

-- a batch:
select c.version, i.book_id, b.title, i.quantity, b.price, b.stock from carts c join cart_items i on i.account_id = c.account_id join books b on b.id = i.book_id where c.account_id = $1 order by i.book_id;
select about, claimed_at < now() - $5::interval as expired, fingerprint, coalesce(status, 0), coalesce(location, ''), coalesce(content_type, ''), body from idempotency_keys where account_id = $1 and method = $2 and path = $3 and key = $4;

-- a batch:
insert into idempotency_keys (account_id, method, path, key, fingerprint, about) values ($1, $2, $3, $4, $5, $6);
insert into orders (id, account_id, status, total, shipping_address, placed_at) values ($1, $2, $3, $4, $5, $6);
insert into order_items (order_id, position, book_id, title, quantity, unit_price) values ($1, $2, $3, $4, $5, $6);
update carts set version = case version when $2 then version end where account_id = $1;
insert into payments (id, order_id, account_id, status, amount, card_token, created_at) values ($1, $2, $3, 'pending', $4, $5, now());
update books set stock = stock - $2 where id = $1;

-- a batch:
update orders set status = case status when $2 then $3 end, cancel_reason = nullif($4, '') where id = $1;
update payments set status = case when doubtful then status else 'declined' end, card_token = null, refund_requested_at = case when doubtful then now() end, refund_after = now() + $2::interval where order_id = $1 and status = 'pending';
update books set stock = stock - $2 where id = $1;
update idempotency_keys set status = $5, location = nullif($6, ''), content_type = $7, body = $8, about = case when status is null then about end where account_id = $1 and method = $2 and path = $3 and key = $4;

-- checkout, sold out

select a.id, a.role, s.expires_at from sessions s join accounts a on a.id = s.account_id where s.token_hash = $1 and s.expires_at > now();

-- a batch:
select c.version, i.book_id, b.title, i.quantity, b.price, b.stock from carts c join cart_items i on i.account_id = c.account_id join books b on b.id = i.book_id where c.account_id = $1 order by i.book_id;
select about, claimed_at < now() - $5::interval as expired, fingerprint, coalesce(status, 0), coalesce(location, ''), coalesce(content_type, ''), body from idempotency_keys where account_id = $1 and method = $2 and path = $3 and key = $4;

-- a batch:
insert into idempotency_keys (account_id, method, path, key, fingerprint, about) values ($1, $2, $3, $4, $5, $6);
insert into orders (id, account_id, status, total, shipping_address, placed_at) values ($1, $2, $3, $4, $5, $6);
insert into order_items (order_id, position, book_id, title, quantity, unit_price) values ($1, $2, $3, $4, $5, $6);
update carts set version = case version when $2 then version end where account_id = $1;
insert into payments (id, order_id, account_id, status, amount, card_token, created_at) values ($1, $2, $3, 'pending', $4, $5, now());
update books set stock = stock - $2 where id = $1;

-- a batch:
insert into idempotency_keys (account_id, method, path, key, fingerprint, about) values ($1, $2, $3, $4, $5, $6);
update idempotency_keys set status = $5, location = nullif($6, ''), content_type = $7, body = $8, about = case when status is null then about end where account_id = $1 and method = $2 and path = $3 and key = $4;

-- cancel

select a.id, a.role, s.expires_at from sessions s join accounts a on a.id = s.account_id where s.token_hash = $1 and s.expires_at > now();

select o.id, o.account_id, o.status, o.total, o.shipping_address, o.placed_at, o.cancel_reason, i.book_id, i.title, i.quantity, i.unit_price from orders o join order_items i on i.order_id = o.id where o.id = $1 order by i.position;

-- a batch:
update orders set status = case status when $2 then $3 end, cancel_reason = nullif($4, '') where id = $1;
update shipments set status = case status when 'preparing' then 'cancelled' end where order_id = $1;
update books set stock = stock - $2 where id = $1;
update payments set refund_requested_at = now(), refund_after = now() where order_id = $1 and status = 'captured' and refund_requested_at is null;
insert into notifications (id, account_id, order_id, kind, to_address, subject, body) values (@id, @account_id, @order_id, @kind, (select email from accounts where id = @account_id), @subject, @body);

-- dispatch

select a.id, a.role, s.expires_at from sessions s join accounts a on a.id = s.account_id where s.token_hash = $1 and s.expires_at > now();

select id, order_id, account_id, status, tracking_number from shipments where id = $1;

-- a batch:
update orders set status = case status when $2 then $3 end, cancel_reason = nullif($4, '') where id = $1;
insert into notifications (id, account_id, order_id, kind, to_address, subject, body) values (@id, @account_id, @order_id, @kind, (select email from accounts where id = @account_id), @subject, @body);
update shipments set status = case status when 'preparing' then 'dispatched' end, tracking_number = $2 where id = $1;

select id, order_id, account_id, status, tracking_number from shipments where id = $1;

-- delivery

select a.id, a.role, s.expires_at from sessions s join accounts a on a.id = s.account_id where s.token_hash = $1 and s.expires_at > now();

select about, claimed_at < now() - $5::interval as expired, fingerprint, coalesce(status, 0), coalesce(location, ''), coalesce(content_type, ''), body from idempotency_keys where account_id = $1 and method = $2 and path = $3 and key = $4;

begin;

-- a batch:
insert into idempotency_keys (account_id, method, path, key, fingerprint, about) values ($1, $2, $3, $4, $5, $6);
update books set stock = case when stock + $2 <= $3 then stock + $2 end where id = $1 returning id as book_id, stock as available;
insert into deliveries (id, book_id, quantity, delivered_at) values ($1, $2, $3, now());

-- a batch:
update idempotency_keys set status = $5, location = nullif($6, ''), content_type = $7, body = $8, about = case when status is null then about end where account_id = $1 and method = $2 and path = $3 and key = $4;

commit;


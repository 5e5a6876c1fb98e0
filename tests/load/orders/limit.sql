create schema orders_limit;
set search_path = orders_limit, public;
create function id(bigint) returns uuid language sql immutable
    as $$ select lpad(to_hex($1), 32, '0')::uuid $$;
create table skus (merchant_id uuid, code text, item_code text, name text, price_minor bigint, stock_kept boolean,
    primary key (merchant_id, code));
create table policies (merchant_id uuid primary key, definition bytea);
create table promotions (like public.promotions including all);
create table coupons (like public.coupons including all);
create table orders (like public.orders including all);
create table order_lines (like public.order_lines including all);
create table order_events (like public.order_events including all);
create table checkouts (like public.checkouts including all);
create table stocks (like public.stocks including all) with (fillfactor = 70);
create table stock_movements (like public.stock_movements including all);
create table stock_reservations (like public.stock_reservations including all);
create table payment_claims (like public.payment_claims including all);
create table payments (like public.payments including all);
create table payment_refunds (like public.payment_refunds including all);
create table sandbox_trades (like public.sandbox_trades including all);
create table sandbox_refunds (like public.sandbox_refunds including all);
create table guarantees (like public.guarantees including all);
create table guarantee_entries (like public.guarantee_entries including all);
create table refunds (like public.refunds including all);
create table ledger_accounts (like public.ledger_accounts including all) with (fillfactor = 70);
create table ledger_transfers (like public.ledger_transfers including all);
create table event_log (like public.event_log including all);
insert into skus select id(1), 'sku-' || n, 'sku-' || n, 'item ' || n, 19900, null from generate_series(0, 999) n;
insert into policies values (id(1), repeat('x', 20)::bytea);
insert into stocks select id(1), 'sku-' || n, 'main', 1000000, 0, 0, '{}', now() from generate_series(0, 999) n;

-- Paid orders, for refunds.
insert into orders select id(1), id(n), 'own', '', n, id(n), 'paid', 'private', '', null, now(), 'CNY', 59700, 0, 3, 2, now(), true, now()
    from generate_series(1, 20000) n;
insert into order_lines select id(1), id(n), l, 'sku-' || (n * 7 + l) % 1000, 'dresses', l, 19900 * l, now()
    from generate_series(1, 20000) n, generate_series(1, 2) l;
insert into guarantees select id(1), id(n), 'CNY', 59700, 59700, 0, 0, 0, 0, 0, 0, false, null, null, now()
    from generate_series(1, 20000) n;
insert into ledger_accounts select id(1), id(n * 8 + c), id(n), c, 'CNY', 0, 59700, 59700, 0, 0, 1, now()
    from generate_series(1, 20000) n, generate_series(1, 3) c;
insert into payments select id(1), id(n), id(n), 1, n, 'box', 'native', 'a dress', '', n, 59700, 'CNY', 'succeeded', '', n, 59700,
    'CNY', '', 0, null, now(), now(), now() from generate_series(1, 20000) n;
insert into stock_reservations select id(1), id(n), l, 'sku-' || (n * 7 + l) % 1000, 'main', '', l, l, 0, 0, 0, null, now(), now()
    from generate_series(1, 20000) n, generate_series(1, 2) l;
analyze;

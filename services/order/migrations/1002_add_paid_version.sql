-- Nullable and without a default: servers of the version before go on writing while this is rolled out. A row of theirs has
-- no paid_version; it is read as that of the head.
alter table orders
    add column paid_version timestamptz,
    add constraint orders_paid_version_check check (paid_version is null or paid_at is not null);

comment on column orders.paid_version is 'the platform''s version that said when the buyer paid; null: that of the head';

create table order_earnings (
    merchant_id uuid not null,
    order_id uuid not null,
    person_id uuid not null,
    revision bigint not null,
    points bigint not null,
    growth bigint not null,
    points_transfer_id uuid,
    growth_transfer_id uuid,
    constraint order_earnings_pkey primary key (merchant_id, order_id),
    constraint order_earnings_points_check check (points >= 0),
    constraint order_earnings_growth_check check (growth >= 0)
);

comment on table order_earnings is 'what an order has earned its buyer: the sum of its postings';
comment on column order_earnings.merchant_id is 'the tenant';
comment on column order_earnings.order_id is 'the order, of the order service';
comment on column order_earnings.person_id is 'who earned it';
comment on column order_earnings.revision is 'the revision of the order that it was computed from';
comment on column order_earnings.points is 'points';
comment on column order_earnings.growth is 'growth value';
comment on column order_earnings.points_transfer_id is 'the transfer that gave the points; null when there are none';
comment on column order_earnings.growth_transfer_id is 'the transfer that gave the growth; null when there is none';

select siyu_tenant_table('order_earnings');
